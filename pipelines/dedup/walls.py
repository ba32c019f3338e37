"""Pages that stand where an article should: consent walls, script walls, blocked requests.

Why it stands alone: such pages are alike on every site of a consent platform, so they were six of the seven strong false
copies in a labelled sample. They must never match anything, and the corridor refuses them. An article about cookies
or captchas is no wall: a wall is short and says little else.
"""

from __future__ import annotations

import re

# said by nothing but a wall, when the text is short
_BLOCKED = re.compile(
    r"(?:enable|turn on|activate) (?:javascript|js|cookies)|(?:javascript|cookies) (?:is|are|has been|must be|appears? to be) (?:disabled|enabled|turned off|required)"
    r"|requires? javascript|browser (?:does not|doesn't) support javascript|too many requests|rate limit(?:ed)? exceeded|unusual (?:traffic|activity) from"
    r"|(?:verify|confirm|prove|checking|make sure) (?:that )?(?:if )?you(?:'re| are)(?: a| not a)? (?:human|robot)|are you a (?:robot|human)|checking your browser|just a moment\.\.\."
    r"|complete the (?:captcha|security check)|access (?:to this (?:page|site|resource) (?:has been|is) )?denied|you have been blocked|request (?:was )?blocked"
    r"|not available in your (?:country|region|location)|unavailable (?:for legal reasons|in your country)|451: unavailable|403 forbidden|404 not found|502 bad gateway|503 service"
    r"|ray id:? [0-9a-f]{8}|disable (?:your )?ad ?-?blocker|turn off (?:your )?ad ?-?blocker|javascript aktivieren|aktivieren sie (?:bitte )?javascript|zu viele anfragen|zugriff verweigert"
    r"|activer javascript|trop de requêtes|accès refusé|habilit[ae] javascript|demasiadas solicitudes|acceso denegado"
    r"|자바스크립트를 (?:활성화|사용|켜)|javascript를 (?:활성화|사용|켜)|요청이 너무 많|접근이 (?:거부|차단)|로봇이 아닙니다|启用 ?javascript|請啟用 ?javascript|请求过于频繁|访问(?:被拒绝|过于频繁)|验证您是真人"
    r"|javascriptを有効|アクセスが(?:拒否|集中)|ロボットではありません"
)
# said by consent and registration walls; each is worth little alone
_CONSENT = re.compile(
    r"\bcookies?\b|\bconsent\b|\bgdpr\b|privacy (?:policy|settings|choices|preferences|centre|center)|(?:accept|reject|agree to|allow|manage) (?:all|cookies|settings|preferences)|\bvendors?\b"
    r"|partners (?:store|process|use)|personali[sz]ed (?:ads|advertising|content)|ad and content measurement|legitimate interest|withdraw your|store and/or access|device identifiers?"
    r"|(?:register|sign in|log in|subscribe|create (?:an|a free) account) (?:now |here )?(?:to|for) (?:continue|keep|read|unlock|access|free)|already (?:a subscriber|have an account|registered)"
    r"|reached your (?:limit|free article limit)|free articles? (?:left|remaining)|before you continue|datenschutz|einwilligung|zustimm|akzeptieren|politique de confidentialité|consentement|accepter et|tout (?:accepter|refuser)"
    r"|política de privacidad|consentimiento|aceptar (?:todo|y)|쿠키|개인정보 ?처리방침|동의|로그인 ?(?:후|하)|회원가입|隐私(?:政策|设置)|隱私|同意|登录后|クッキー|プライバシー|ログイン"
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*|\n+")

MAX_WALL_CHARS = 2500  # the longest consent wall seen has 1,900; articles of this length say other things too
MAX_BLOCKED_CHARS = 900  # a blocked page says it in a few lines
MAX_BARE_CHARS = 160  # one line that says it, and nothing else
MIN_BLOCKED_SHARE = 0.3  # of the text, by length, stands in sentences that say it
MIN_CONSENT_CUES = 3  # different ones
MIN_CONSENT_SHARE = 0.5  # of the text, by length, stands in sentences with a cue


def is_wall(text: str) -> bool:
    """True for an empty text and for one that only says why the reader does not see the article."""
    stripped = text.strip()
    if not stripped:
        return True
    if len(stripped) > MAX_WALL_CHARS:
        return False
    folded = stripped.casefold().replace("\u2019", "'").replace("\u2026", "...")
    if len(folded) <= MAX_BARE_CHARS and _BLOCKED.search(folded):
        return True
    if len(folded) <= MAX_BLOCKED_CHARS and share_with(_BLOCKED, folded) >= MIN_BLOCKED_SHARE:
        return True
    cues = {found.group() for found in _CONSENT.finditer(folded)}
    return len(cues) >= MIN_CONSENT_CUES and share_with(_CONSENT, folded) >= MIN_CONSENT_SHARE


def share_with(cue: re.Pattern[str], text: str) -> float:
    """The share of a text, by length, that stands in sentences with a cue."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence]
    total = sum(map(len, sentences))
    return sum(len(sentence) for sentence in sentences if cue.search(sentence)) / total if total else 0.0
