"""Answers that are too large, too slow, broken or forged; each group is one crawl, and every page has its outcome."""

import contextlib
import gzip
import socket
import ssl
import struct
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawler.middlewares import gunzipped
from tests.desk import Desk
from tests.site import Site, article

pytestmark = [pytest.mark.crawl, pytest.mark.xdist_group("faults-net")]  # one crawl serves many tests
MIB = 2**20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
BOMB = gzip.compress(b"<html>" + bytes(40 * MIB))
MOST = 64 * MIB  # what the endless ones would send
WORKERS = {"COPYDESK_CRAWL__TIMEOUT_S": "1.5"}


def endless(start, piece):
    def send_all(send):
        sent = send(start) and len(start)
        while sent < MOST and send(piece):
            sent += len(piece)

    return send_all


def dripping(start):
    def drip(send):
        send(start)
        for _ in range(100):
            time.sleep(0.1)
            if not send(b"x"):
                return

    return drip


def reset(send):
    send.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    send.connection.close()


def hints(send):
    send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 5000)
    body = article("Hints", 61).encode()
    send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def chunked(send):
    body = article("Chunk", 62).encode()
    send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body[:-200])


RAW = {
    "endless": endless(HEAD + b"\r\n", b"<p>on and on</p>" * 4096),
    "announced": HEAD + b"Content-Length: 5000000000\r\n\r\n<html>",
    "headers": endless(HEAD, b"X-More: " + b"y" * 4000 + b"\r\n"),
    "folded": endless(HEAD + b"X-More: a\r\n", b" " + b"y" * 4000 + b"\r\n"),
    "line": endless(HEAD + b"X-More: ", b"y" * 65536),
    "hints": hints,
    "chunk": chunked,
    "open": HEAD + b"Connection: close\r\n\r\n" + article("Open", 63).encode()[:900],
    "garbage": b"\x00\x16\x03\x01 what is this\r\n\r\n" * 20,
    "reset": reset,
}
OUTCOMES = {
    "endless": {"too_large"},
    "announced": {"too_large"},
    "headers": {"too_large"},
    "folded": {"too_large"},
    "line": {"connection", "too_large"},
    "chunk": {"truncated"},
    "open": {"truncated"},
    "garbage": {"connection"},
    "reset": {"connection"},
    "bomb": {"too_large"},
    "packed3": {"too_large"},
    "deflate": {"coding"},
    "br": {"coding"},
    "zstd": {"coding"},
}


def fill_answers(site):
    links = [(site.raw(f"/{name}", answer), name) for name, answer in RAW.items()]
    links.append((site.reply("/packed3", gzip.compress(gzip.compress(BOMB)), headers=packed("gzip, gzip, gzip")), "3"))
    page = article("Five", 64).encode()
    for _ in range(5):
        page = gzip.compress(page)
    links.append((site.reply("/five", page, headers=packed("gzip, gzip, gzip, gzip, gzip")), "Five layers"))
    others = ("deflate", "br", "zstd")
    links += [(site.reply(f"/{name}", b"\x1b\x00\x01" * 1000, headers=packed(name)), name) for name in others]
    links.append((site.reply("/lies", article("Lies", 65), headers=packed("br")), "A plain page that says br"))
    return site.feed("/feed.xml", links)


def packed(codings):
    return {"Content-Encoding": codings}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """One crawl of a site with every broken answer, six with a bomb, three that drip and one that is well."""
    desk = Desk(tmp_path_factory.mktemp("answers"))
    with contextlib.ExitStack() as stack:
        sites = {name: stack.enter_context(Site()) for name in ("broken", "body", "header", "silent", "well")}
        desk.source("broken", fill_answers(sites["broken"]))
        for number in range(6):
            bombs = stack.enter_context(Site())
            link = bombs.reply("/bomb", BOMB, headers=packed("gzip"))
            desk.source(f"bomb{number}", bombs.feed("/feed.xml", [(link, "Bomb")]))
        slow = {"body": HEAD + b"Content-Length: 5000\r\n\r\n<html>", "header": HEAD + b"X-Slow: ", "silent": b""}
        for name, start in slow.items():
            desk.source(name, sites[name].feed("/feed.xml", [(sites[name].raw("/drip", dripping(start)), "Drip")]))
        well = sites["well"]
        desk.source("well", well.feed("/feed.xml", [(well.page(f"/w{n}", 70 + n), f"W{n}") for n in range(5)]))
        process, seen = desk.watched("--json", **WORKERS)
        yield {"desk": desk, "sites": sites, "process": process, "seen": seen}


@pytest.mark.fault("N02", "N03", "N05", "N06", "N07", "N08", "N09", "N10", "N14", "N15", "N17")
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_broken_answer_costs_itself_and_says_why(answers, name):
    assert answers["desk"].rejected()[name] in OUTCOMES[name]


@pytest.mark.fault("N04", "N10", "N16")
def test_what_is_only_strange_is_kept(answers):
    assert answers["desk"].kept("broken") == {"hints", "five", "lies"}


@pytest.mark.fault("N05", "N06", "N08", "N09", "N10")
@pytest.mark.parametrize("name", ["endless", "headers", "folded", "line"])
def test_what_never_ends_is_hung_up_on(answers, name):
    tries = answers["sites"]["broken"].paths().count(f"/{name}")
    assert answers["sites"]["broken"].sent[f"/{name}"] < tries * MOST / 3, "limit and what lies in the buffers between"


@pytest.mark.fault("N03", "N07")
def test_memory_stays_low(answers):
    assert answers["seen"]["megabytes"] < 300


@pytest.mark.fault("N11", "N12", "N17")
def test_one_time_for_everything_and_one_more_try(answers):
    desk, sites = answers["desk"], answers["sites"]
    for name in ("body", "header", "silent"):
        assert desk.rejected(name) == {"drip": "timeout"}
        assert len([seen for seen in sites[name].requests if seen.path == "/drip"]) <= 2
    assert 2 <= sites["broken"].paths().count("/reset") <= 3, "a kept connection that is closed is replaced once"
    assert desk.kept("well") == {f"w{n}" for n in range(5)}


@pytest.mark.fault("S09")
def test_a_crawl_listens_on_no_port(answers):
    assert answers["seen"]["listening"] == []


@pytest.mark.fault("S10")
def test_nobody_else_is_looked_up_or_dialled(answers):
    seen = answers["seen"]
    assert set(seen["names"]) == {"127.0.0.1"}
    assert {host for host, _ in seen["dialled"]} == {"127.0.0.1"}


@pytest.mark.fault("P12")
def test_every_address_ends_as_something(answers):
    """What was asked for is what is new, rejected, failed or gone."""
    desk = answers["desk"]
    for row in desk.rows("select source, counts from source_runs"):
        offered = desk.rows("select count(*) as n from frontier where source = ?", row["source"])[0]["n"]
        ended = len(desk.kept(row["source"])) + len(desk.rejected(row["source"]))
        assert offered == ended, row["source"]


@pytest.mark.fault("P13")
def test_a_run_says_a_line_a_source_at_most(answers):
    desk = answers["desk"]
    done = desk.crawl("--force", **WORKERS)
    assert len(done.stderr.splitlines()) + len(done.stdout.splitlines()) <= 12
    assert len(done.stderr) + len(done.stdout) < 3000


@pytest.mark.fault("N13")
def test_a_gzip_stream_is_whole_or_not_wherever_it_is_cut():
    whole = gzip.compress(article("Cut", 1).encode())
    assert gunzipped(whole, MIB)[0] is not None
    assert not any(gunzipped(whole[:end], MIB)[0] for end in range(len(whole)))


@pytest.mark.fault("N15")
def test_half_a_page_does_not_replace_the_whole_one(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        desk.source("one", site.feed("/feed.xml", [(site.page("/a", 80), "A")], etag=""))
        assert desk.crawl().returncode == 0
        text = desk.rows("select text from articles")[0]["text"]
        site.raw("/a", HEAD + b"Connection: close\r\n\r\n" + article("A", 80).encode()[:700])
        due = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        desk.change("update frontier set next_due = ?", due)
        assert desk.crawl("--force").returncode == 0
        assert site.paths()[-1] == "/a"
        assert desk.rows("select text from articles")[0]["text"] == text


def certificate(folder, name, host, days=30, issuer=None):
    """A certificate for `host` and an SSLContext that shows it; (context, certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing = issuer or (subject, key)
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(signer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signing, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / f"{name}.pem"
    file.write_bytes(pem + built.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, (subject, key)


@pytest.mark.fault("N18")
def test_only_a_good_certificate_is_talked_to(tmp_path):
    _, authority = certificate(tmp_path, "authority", "authority.test")
    contexts = {
        "good": certificate(tmp_path, "good", "localhost", issuer=authority)[0],
        "expired": certificate(tmp_path, "expired", "localhost", days=-1, issuer=authority)[0],
        "other": certificate(tmp_path, "other", "other.test", issuer=authority)[0],
        "self": certificate(tmp_path, "self", "localhost")[0],
    }
    desk = Desk(tmp_path)
    with contextlib.ExitStack() as stack:
        sites = {name: stack.enter_context(Site(context)) for name, context in contexts.items()}
        for name, site in sites.items():
            site.base = f"https://localhost:{site.port}"
            desk.source(name, site.feed("/feed.xml", [(site.page("/a", 81), "A")]))
        done = desk.crawl(SSL_CERT_FILE=str(tmp_path / "authority.pem"))
        assert done.returncode == 3
        assert [name for name, site in sites.items() if site.requests] == ["good"]
    assert {row["source"]: row["error"] for row in desk.rows("select source, error from fetches where status = 0")} == {
        "expired": "tls",
        "other": "tls",
        "self": "tls",
    }


SPELLINGS = [
    "127.0.0.1", "localhost", "0", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "169.254.169.254", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "0.0.0.0", "[fe80::1]", "[64:ff9b::7f00:1]",
]  # fmt: skip


@pytest.mark.fault("S01", "S02", "S05", "S06", "S07", "S08", "R08", "R12")
def test_no_way_leads_to_an_address_that_is_not_public(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site, Site() as other, Site() as robots:
        links = [(f"http://{host}/direct{n}", f"Direct {n}") for n, host in enumerate(SPELLINGS)]
        links += [(site.redirect(f"/hop{n}", f"http://{host}/"), f"Hop {n}") for n, host in enumerate(SPELLINGS)]
        links += [(f"http://{host}:{port}/", "Port") for host in ("8.8.8.8", "paper.example") for port in (22, 6379)]
        refresh = "<meta http-equiv='refresh' content='0; url=http://127.1/refreshed'>"
        links.append(
            (site.reply("/refresh", article("Refresh", 82).replace("</head>", refresh + "</head>")), "Refresh")
        )
        links.append((site.redirect("/closed", "/private/x"), "Not allowed"))
        links.append((site.redirect("/away", other.page("/there", 83)), "Elsewhere"))
        site.reply("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
        desk.source("one", site.feed("/feed.xml", links))
        desk.source("other", other.feed("/feed.xml", []))  # declares the address: another source may not go there
        index = "".join(f"<sitemap><loc>http://{host}/s.xml</loc></sitemap>" for host in SPELLINGS)
        desk.source("map", site.reply("/map.xml", f"<sitemapindex>{index}</sitemapindex>"), kind="sitemap")
        robots.redirect("/robots.txt", "http://169.254.169.254/robots.txt")
        desk.source("robots", robots.feed("/feed.xml", [(robots.page("/a", 84), "A")]))
        _, seen = desk.watched("--json")
        ports = {site.port, other.port, robots.port}
        assert {tuple(place) for place in seen["dialled"]} == {("127.0.0.1", port) for port in ports}
        assert robots.paths() == []
        assert "/private/x" not in site.paths()
    reasons = desk.rejected("one")
    assert {reasons.get(f"hop{n}") for n in range(len(SPELLINGS))} <= {"forbidden_address", "dns"}
    assert reasons["closed"] == "robots"
    rows = desk.rows("select url, final_url from articles")
    assert {row["url"].rpartition("/")[2] for row in rows} == {"refresh", "away"}
    assert {row["url"].partition("/away")[0] for row in rows if "away" in row["url"]} == {site.base}


@pytest.mark.fault("R13")
def test_a_host_that_asked_for_peace_is_left_alone_in_later_runs(tmp_path):
    """Also when it is not the host of the feed that leads there."""
    desk = Desk(tmp_path)
    with Site() as feeds, Site() as pages:
        pages.reply("/busy", status=503, headers={"Retry-After": "3600"})
        desk.source("pages", pages.feed("/own.xml", []))
        desk.source("one", feeds.feed("/feed.xml", [(pages.base + "/busy", "Busy"), (feeds.page("/a", 85), "A")]))
        assert desk.crawl().returncode == 0
        asked = len(pages.requests)
        assert asked
        assert desk.crawl("--force").returncode == 3
        assert len(pages.requests) == asked
        desk.change("update hosts set closed_until = ?", (datetime.now(UTC) - timedelta(minutes=1)).isoformat())
        desk.change("update frontier set next_due = first_seen where url like '%/busy'")
        desk.crawl("--force")
        assert len(pages.requests) > asked


ROBOTS = {  # name: (reply to /robots.txt, may /a be asked for, may /private/b)
    "r500": ({"status": 500}, False, False),
    "r503": ({"status": 503}, False, False),
    "r429": ({"status": 429}, False, False),
    "r404": ({"status": 404, "body": "User-agent: *\nDisallow: /"}, True, True),
    "r403": ({"status": 403, "body": "User-agent: *\nDisallow: /"}, True, True),
    "r401": ({"status": 401}, True, True),
    "inside": ({"body": "User-agent: *\nDisallow: /private/\n" + "# more\n" * 100_000}, True, False),
    "outside": ({"body": "User-agent: *\nAllow: /x\n" + "# more\n" * 100_000 + "Disallow: /private/\n"}, True, True),
    "ten": ({"body": "User-agent: *\nDisallow: /private/\n" + "# more\n" * 1_500_000}, False, False),
    "many": ({"body": "User-agent: *\n" + "".join(f"Disallow: /*{n}*x\n" for n in range(60_000))}, True, True),
    "stars": ({"body": "User-agent: *\nDisallow: /" + "*a" * 30 + "b\nDisallow: /private/\n"}, True, False),
    "bomb": ({"body": BOMB, "headers": packed("gzip")}, False, False),
    "page": ({"body": article("Not robots", 1), "content_type": "text/html"}, True, True),
    "utf16": ({"body": "User-agent: *\nDisallow: /private/\n".encode("utf-16")}, True, False),
    "cr": ({"body": "User-agent: *\rDisallow: /private/\r"}, True, False),
    "zipped": ({"body": "User-agent: *\nDisallow: /private/\n", "headers": packed("gzip")}, True, False),
    "moved": ({"status": 301, "headers": {"Location": "/robots.txt?rules"}}, True, False),
    "endless": ({"status": 302, "headers": {"Location": "/robots.txt?again"}}, False, False),
    "silent": ({"delay": 5.0}, False, False),
}


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """One crawl of many sites with a robots.txt each: which paths were asked for; again after a change."""
    desk = Desk(tmp_path_factory.mktemp("robots"))
    with contextlib.ExitStack() as stack:
        sites = {name: stack.enter_context(Site()) for name in ROBOTS}
        for number, (name, site) in enumerate(sites.items()):
            site.reply("/robots.txt", **{"content_type": "text/plain", "body": "", **ROBOTS[name][0]})
            site.reply("/robots.txt?rules", "User-agent: *\nDisallow: /private/\n", content_type="text/plain")
            site.redirect("/robots.txt?again", "/robots.txt")
            links = [(site.page("/a", 300 + number), "A"), (site.page("/private/b", 400 + number), "B")]
            desk.source(name, site.feed("/feed.xml", links))
        _, seen = desk.watched("--json", COPYDESK_CRAWL__TIMEOUT_S="2", COPYDESK_CRAWL__SOURCE_BUDGET_S="8")
        first = {name: site.paths() for name, site in sites.items()}
        rules = {name: sum(request.path == "/robots.txt" for request in site.requests) for name, site in sites.items()}
        desk.crawl("zipped", "r404", "r500", "--force")
        again = {name: sum(request.path == "/robots.txt" for request in site.requests) for name, site in sites.items()}
        yield {"first": first, "rules": rules, "again": again, "seen": seen}


@pytest.mark.fault("R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09", "R10")
@pytest.mark.parametrize("name", ROBOTS)
def test_robots_txt_means_what_it_says(visits, name):
    _, may_page, may_private = ROBOTS[name]
    assert ("/a" in visits["first"][name]) == may_page
    assert ("/private/b" in visits["first"][name]) == may_private


@pytest.mark.fault("R05", "R06", "R09")
def test_no_robots_txt_costs_much(visits):
    assert visits["seen"]["megabytes"] < 300
    assert visits["rules"]["endless"] <= 3


def test_robots_txt_is_kept_for_a_day(visits):
    """One that could be read, and one that is not there; one that could not be read is asked for again."""
    assert visits["rules"]["zipped"] == visits["again"]["zipped"] == 1
    assert visits["rules"]["r404"] == visits["again"]["r404"]
    assert visits["again"]["r500"] > visits["rules"]["r500"]
