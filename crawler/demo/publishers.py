"""Who publishes on the bundled site: names, addresses, how each is followed, and the words of its furniture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from crawler.demo.articles import DemoArticle

Kind: TypeAlias = Literal["feed", "sitemap", "listing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a site says around its articles, in its language."""

    menu: tuple[str, ...] = ("Home", "AI", "Policy", "Research", "About us", "Contact")
    skip: str = "Skip to content"
    comments: str = "Comments ({})"
    form: tuple[str, ...] = (
        "Leave a Reply",
        "Your email address will not be published. Required fields are marked *",
        "Save my name, email, and website in this browser for the next time I comment.",
    )
    post: str = "Post Comment"
    related: str = "Related articles"
    most_read: str = "Most read"
    topics: str = "Related topics"
    share: tuple[str, ...] = ("Share this article", "Facebook", "LinkedIn", "Email", "Copy link")
    newsletter: tuple[str, str, str] = (
        "Newsletter",
        "Sign up for our weekly newsletter and get the latest stories delivered to your inbox.",
        "Subscribe",
    )
    cookies: tuple[str, str, str] = (
        "We use cookies to improve your experience on this site and to count our readers.",
        "Accept all",
        "Cookie settings",
    )
    read_more: str = "Read more: "
    footer: tuple[str, ...] = ("About us", "Privacy Policy", "Terms of use", "Cookie settings", "RSS")
    legal: str = "© 2026 {}. All rights reserved."
    by: str = "By {}"


ENGLISH = Words()
KOREAN = Words(
    menu=("홈", "인공지능", "정책", "산업", "연구", "전체기사"),
    skip="본문 바로가기",
    comments="댓글 {}",
    form=("댓글을 입력해 주세요", "0/500", "로그인 후 댓글을 작성할 수 있습니다"),
    post="등록",
    related="관련기사",
    most_read="많이 본 뉴스",
    topics="관련 키워드",
    share=("공유하기", "페이스북", "카카오톡", "URL 복사", "글자크기"),
    newsletter=("뉴스레터", "매주 뉴스레터를 구독하고 주요 기사를 메일로 받아보세요.", "구독하기"),
    cookies=("이 사이트는 이용자 편의를 위해 쿠키를 사용합니다.", "동의", "설정"),
    read_more="관련기사: ",
    footer=("회사소개", "개인정보처리방침", "이용약관", "청소년보호정책", "기사제보"),
    legal="저작권자 © {} 무단전재 및 재배포 금지",
    by="{} 기자",
)
CHINESE = Words(
    menu=("首页", "人工智能", "政策", "产业", "科研", "关于我们"),
    skip="跳到正文",
    comments="评论（{}）",
    form=("发表评论", "登录后才能评论", "0/500"),
    post="提交",
    related="相关阅读",
    most_read="热门文章",
    topics="相关专题",
    share=("分享到", "微信", "微博", "复制链接"),
    newsletter=("订阅", "订阅我们的邮件简报，每周获取最新资讯。", "立即订阅"),
    cookies=("本网站使用 Cookie 以改善您的浏览体验。", "同意", "设置"),
    read_more="延伸阅读：",
    footer=("关于我们", "隐私政策", "用户协议", "联系我们", "网站地图"),
    legal="© 2026 {} 版权所有，未经授权不得转载",
    by="记者 {}",
)
GERMAN = Words(
    menu=("Startseite", "KI", "Politik", "Wirtschaft", "Forschung", "Über uns"),
    skip="Zum Inhalt springen",
    comments="Kommentare ({})",
    form=(
        "Schreiben Sie einen Kommentar",
        "Ihre E-Mail-Adresse wird nicht veröffentlicht. Erforderliche Felder sind mit * markiert",
    ),
    post="Kommentar abschicken",
    related="Lesen Sie auch",
    most_read="Meistgelesen",
    topics="Themen",
    share=("Artikel teilen", "Facebook", "LinkedIn", "E-Mail", "Drucken"),
    newsletter=(
        "Newsletter",
        "Abonnieren Sie unseren Newsletter und erhalten Sie die wichtigsten Nachrichten jede Woche per E-Mail.",
        "Jetzt anmelden",
    ),
    cookies=("Wir verwenden Cookies, um unser Angebot zu verbessern.", "Alle akzeptieren", "Cookie-Einstellungen"),
    read_more="Lesen Sie auch: ",
    footer=("Impressum", "Datenschutz", "AGB", "Kontakt", "RSS"),
    legal="© 2026 {}. Alle Rechte vorbehalten.",
    by="Von {}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """One site."""

    id: str
    name: str
    kind: Kind
    index: str  # path of its feed, sitemap index or listing
    path: str  # of an article: str.format with slug and day
    language: str = "en"
    timezone: str = "UTC"
    url_pattern: str = ""
    is_topical: bool = False
    forbidden: str = "/private/"  # what its robots.txt closes
    words: Words = ENGLISH

    def path_of(self, article: DemoArticle) -> str:
        return self.path.format(slug=article.slug, day=article.published)


PUBLISHERS: dict[str, Publisher] = {
    publisher.id: publisher
    for publisher in (
        Publisher(id="tidewatch", name="Tidewatch", kind="feed", index="/feed/", path="/{day:%Y/%m}/{slug}/"),
        Publisher(id="meridian", name="Meridian Wire", kind="feed", index="/rss.xml", path="/news/{slug}"),
        Publisher(id="lumen", name="Lumen Portal", kind="feed", index="/atom.xml", path="/read/{slug}"),
        Publisher(
            id="castellan",
            name="Castellan Institute for AI Safety",
            kind="listing",
            index="/analysis/",
            path="/analysis/{slug}",
            url_pattern="/(?:analysis|publications)/[a-z0-9-]+$",
        ),
        Publisher(
            id="ledger",
            name="The Harbor Ledger",
            kind="sitemap",
            index="/sitemap.xml",
            path="/ai-desk/{day:%Y/%m/%d}/{slug}.html",
            url_pattern="/ai-desk/",
            forbidden="/ai-desk/preview/",
        ),
        Publisher(
            id="hanbit",
            name="한빛기술신문",
            kind="feed",
            index="/rss/all.xml",
            path="/news/{slug}.html",
            language="ko",
            timezone="Asia/Seoul",
            words=KOREAN,
        ),
        Publisher(
            id="qinghe",
            name="清河科技",
            kind="feed",
            index="/rss.xml",
            path="/a/{slug}.shtml",
            language="zh",
            timezone="Asia/Shanghai",
            words=CHINESE,
        ),
        Publisher(
            id="nordlicht",
            name="Nordlicht Digital",
            kind="feed",
            index="/feed.atom",
            path="/artikel/{slug}.html",
            language="de",
            timezone="Europe/Berlin",
            words=GERMAN,
        ),
        Publisher(
            id="gizmo",
            name="Gizmo Parade",
            kind="feed",
            index="/feed.xml",
            path="/{day:%Y}/{slug}",
            is_topical=True,
        ),
    )
}
