"""Who may ask: this machine's programs, others with the token, web pages never."""

import pytest

from dcomplete.dialects.guard import Rules, is_here
from dcomplete.errors import UserError

PATHS = ("/v1/completions", "/infill", "/api/generate", "/v1/fim/completions", "/health")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8012", "null", ""])
def test_a_web_page_is_refused_and_cannot_read_why(house, path, origin):
    for method in ("GET", "POST", "OPTIONS"):
        answer = house.http.request(method, path, headers={"Origin": origin}, content=b"{}")
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert house.engine.asked == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8012", "10.0.0.1", "", "127.0.0.1.evil"]
)
def test_a_name_that_leads_here_by_dns_rebinding_is_refused(house, host):
    answer = house.http.post("/infill", json={"input_prefix": "x"}, headers={"Host": host})
    assert answer.status_code == 403 and house.engine.asked == []


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8012", "[::1]:8012", "127.1.2.3"]
)
def test_this_machine_s_own_names(house, host):
    assert house.http.get("/v1/models", headers={"Host": host}).status_code == 200


def test_the_token_opens_as_bearer_and_as_api_key(opened):
    house = opened(token="s3cret")
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "s3cret"},
        {"x-api-key": ""},
    ):
        answer = house.http.get("/v1/models", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "invalid_api_key"
    for headers in ({"Authorization": "Bearer s3cret"}, {"x-api-key": "s3cret"}):
        assert house.http.get("/v1/models", headers=headers).status_code == 200
    assert house.http.get("/health").status_code == 200
    assert house.http.get("/api/tags").json() == {
        "error": "The token is missing or wrong; send it as Bearer or x-api-key."
    }


def test_elsewhere_any_name_will_do_with_the_token_but_no_page(opened):
    house = opened(host="0.0.0.0", token="s3cret")
    url = house.url.replace("0.0.0.0", "127.0.0.1")
    headers = {"Host": "build.example", "x-api-key": "s3cret"}
    assert house.http.get(f"{url}/v1/models", headers=headers).status_code == 200
    page = headers | {"Origin": "http://build.example"}
    assert house.http.get(f"{url}/v1/models", headers=page).status_code == 403
    assert house.http.get(f"{url}/v1/models", headers={"Host": "build.example"}).status_code == 401


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.2", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_what_is_this_machine_alone(host, here):
    assert is_here(host) is here
    if not here:
        with pytest.raises(UserError, match="give a token"):
            Rules(host).check()
    Rules(host, "token").check()


@pytest.mark.parametrize("token", ["a b", "gr\u00fcn", "a\n", "\x7f"])
def test_a_token_that_no_header_can_carry(token):
    with pytest.raises(UserError, match="printable ASCII"):
        Rules("127.0.0.1", token).check()


def test_ipv6(opened):
    try:
        house = opened(host="::1")
    except UserError:
        pytest.skip("no IPv6 here")
    assert house.http.get("/health").status_code == 200
