"""Indexes that lead on: a sitemap behind another one, a listing of two pages."""

import gzip


def fill_map(site):
    pages = [site.page(f"/news/{n}", 100 + n) for n in range(3)]
    urls = "".join(
        f"<url><loc>{page}</loc><lastmod>2026-11-20</lastmod></url>" for page in [*pages, f"{site.base}/about"]
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    site.reply(
        "/child.xml.gz",
        gzip.compress(f'<urlset xmlns="{space}">{urls}</urlset>'.encode()),
        content_type="application/gzip",
        etag='"m"',
    )
    index = f'<sitemapindex xmlns="{space}"><sitemap><loc>{site.base}/child.xml.gz</loc></sitemap></sitemapindex>'
    return site.reply("/sitemap.xml", index, content_type="application/xml", etag='"index"')


def fill_list(site):
    for n in range(4):
        site.page(f"/posts/{n}", 200 + n)
    one = (
        "".join(f"<a href='/posts/{n}'>Post {n}</a>" for n in (0, 1))
        + "<a rel='next' href='/list?page=2'>older</a><a href='/tag/x'>x</a>"
    )
    two = "".join(f"<a href='/posts/{n}'>Post {n}</a>" for n in (2, 3))
    site.reply("/list?page=2", f"<html><body>{two}</body></html>", etag='"two"')
    return site.reply("/list", f"<html><body>{one}</body></html>", etag='"one"')
