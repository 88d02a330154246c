# ruff: noqa: E501  an expression is read better in one line
"""The tokens that are recognised by their own form, whatever is around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

B64, URL64, HEX, WORD = "[A-Za-z0-9+/]", "[A-Za-z0-9_-]", "[0-9a-f]", "[A-Za-z0-9]"


class TokenFormat(NamedTuple):
    """hints: lower-case literals, one of which is in each such token. pattern: the whole token, without what is around it."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _format(kind: str, hints: str, *patterns: str) -> TokenFormat:
    """Bound the patterns, so that no part of a longer word is taken for a token."""
    alternatives = "|".join(patterns)
    return TokenFormat(kind, tuple(hints.split()), re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})"))


def _prefixed(kind: str, rest: str, prefixes: Sequence[str]) -> TokenFormat:
    """Tokens of vendors that begin with a literal and go on with `rest`."""
    literals = "|".join(map(re.escape, sorted(prefixes, key=lambda prefix: (-len(prefix), prefix))))
    return _format(kind, " ".join(prefix.lower() for prefix in prefixes), f"(?:{literals}){rest}")


# From the vendors' documentation. Lengths are lower bounds: a vendor's tokens grow, and a word with such a prefix is shorter.
FORMATS: tuple[TokenFormat, ...] = (
    _format("jwt", "eyj", rf"eyJ{URL64}{{8,4096}}\.{URL64}{{4,8192}}(?:\.{URL64}{{0,4096}}){{0,3}}", rf"eyJrIjoi{B64}{{24,1024}}={{0,2}}"),
    # With a digit: Python's sk- and hf_ words (sk-learn-contrib, hf_hub_download) have none.
    _format("api-key", "sk-", rf"sk-(?=[A-Za-z_-]{{0,64}}[0-9]){URL64}{{16,300}}", rf"sk-(?:ant|proj|or|lf|svcacct|admin|None)-{URL64}{{8,300}}"),
    _format("token", "hf_", rf"hf_(?=[a-z0-9]{{0,64}}[A-Z]){WORD}{{20,100}}", r"hf_(?=[a-z]{0,64}[0-9])[a-z0-9]{30,100}"),
    _format("token", "api_org_", rf"api_org_{WORD}{{20,64}}"),
    _prefixed("token", rf"{WORD}{{20,300}}", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    _format("token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,255}"),
    _prefixed(
        "token", r"[A-Za-z0-9_.-]{16,300}",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-", "glimt-", "gloas-", "glffct-"),
    ),
    _prefixed("token", rf"{WORD}{{20,300}}", ("npm_", "gsk_", "xai-", "r8_", "tfp_", "pplx-", "rpa_", "lin_api_", "sbp_", "rubygems_", "lip_")),
    _format("token", "pypi-age", rf"pypi-AgE{URL64}{{16,512}}"),
    _format("token", "xox xapp-", r"xox[abceoprs](?:\.xox[abp])?-[A-Za-z0-9-]{10,512}", r"xapp-[A-Za-z0-9-]{10,512}"),
    _format("access-key", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _format("api-key", "aiza", rf"AIza{URL64}{{30,60}}"),
    _format("token", "ya29. gocspx- 1//0", rf"ya29\.{URL64}{{20,1024}}", rf"GOCSPX-{URL64}{{16,64}}", rf"1//0{URL64}{{30,256}}"),
    _format("api-key", "k_live_ k_test_ whsec_", rf"[rs]k_(?:live|test)_{WORD}{{10,256}}", rf"whsec_{B64}{{16,256}}={{0,2}}"),
    _format("api-key", "sk_", r"sk_(?=[0-9a-f]{0,40}[0-9])[0-9a-f]{32,64}", rf"sk_(?:prod|dev|v[0-9])_{WORD}{{16,256}}"),
    _format("api-key", "sg.", rf"SG\.{URL64}{{16,64}}\.{URL64}{{16,64}}"),
    _format("api-key", "key-", r"key-(?=[a-f]{0,32}[0-9])[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("api-key", "-us", rf"{HEX}{{32}}-us[0-9]{{1,2}}(?![A-Za-z0-9])"),
    _format("token", "hvs. hvb. hvr.", rf"hv[sbr]\.{URL64}{{16,512}}"),
    _format("token", "_v1_", rf"do[pors]_v1_{HEX}{{32,128}}"),
    _format("token", "tskey-", r"tskey-[A-Za-z0-9-]{8,128}"),
    _prefixed(
        "token", rf"{URL64}{{16,512}}",
        (
            "dckr_pat_", "dckr_oat_", "nvapi-", "tvly-", "jina_", "lsv2_pt_", "lsv2_sk_", "figd_", "ATATT3", "ATCTT3", "ATBB", "sntrys_", "sntryu_", "glc_",
            "shpat_", "shpss_", "shpca_", "shppa_", "PMAK-", "NRAK-", "NRII-", "NRJS-", "sq0csp-", "sq0atp-", "pscale_tkn_", "pscale_pw_", "pscale_oauth_",
            "pul-", "sb_secret_", "CFPAT-", "rdme_", "xkeysib-", "xsmtpsib-", "bkua_", "CCIPAT_", "ptr_", "pcsk_", "csk-", "esecret_", "napi_", "nfp_", "vcp_",
            "e2b_", "phx_", "syt_", "FLWSECK", "fio-u-", "duffel_live_", "shippo_live_", "pnu_", "CLOJARS_", "ops_eyJ", "sk_ant", "EAAAE", "fo1_", "fm2_",
            "HRKU-", "rnd_", "apify_api_", "secret_live_", "pat-na1-", "pat-eu1-", "dd_api_", "cal_live_", "vck_", "v1.public.", "hcaptcha_", "sgp_", "glsa_",
        ),
    ),
    _format("token", "fw_ tk_ re_ aio_", rf"fw_{WORD}{{20,64}}", r"tk_[a-z0-9]{29}(?![A-Za-z0-9])", rf"re_{WORD}{{6,12}}_{WORD}{{16,64}}", rf"aio_{WORD}{{28}}"),
    _format("token", "dapi", rf"dapi{HEX}{{32}}"),
    _format("token", ".atlasv1.", rf"{WORD}{{10,16}}\.atlasv1\.[A-Za-z0-9_=-]{{20,128}}"),
    _format("token", "dp.", rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{{1,40}}\.)?{WORD}{{32,64}}"),
    _format("token", "dt0", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{32,128}"),
    _format("token", "sk.eyj", rf"sk\.eyJ{URL64}{{20,512}}\.{URL64}{{10,128}}"),
    _format("token", "squ_ sqp_ sqa_", rf"sq[upa]_{HEX}{{40}}"),
    _format("token", "akcp", r"AKCp[A-Za-z0-9]{40,128}"),
    _format("token", "eaa igq", r"(?:EAA|IGQ)(?=[A-Za-z]{0,60}[0-9])[A-Za-z0-9]{40,512}"),
    _format("token", "oy2", r"oy2[a-z0-9]{43}(?![A-Za-z0-9])"),
    _format("token", "swmtkn-", r"SWMTKN-1-[a-z0-9-]{40,128}"),
    _format("token", "k10", rf"K10{HEX}{{40,64}}::[\w:.-]{{4,256}}"),
    _format("token", "pveapitoken", r"PVEAPIToken=[\w.@!-]{3,128}[=:][0-9a-f-]{20,64}"),
    _format("token", ":", r"[0-9]{8,12}:[A-Za-z0-9_-]{33,40}(?![\w-])"),  # Telegram
    _format("token", ".", r"[MNO][A-Za-z0-9_-]{22,30}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{25,45}(?![\w.-])"),  # Discord
    _format("token", "mfa.", rf"mfa\.{URL64}{{60,128}}"),
    _format("token", "apa91b", rf"{URL64}{{8,24}}:APA91b{URL64}{{60,256}}"),
    _format("token", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z$]{16,128}"),
    _format("token", "gaaaaa", rf"gAAAAA{URL64}{{50,4096}}={{0,2}}"),  # Fernet
    _format("private-key", "age-secret-key-", r"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20,2048}"),
    _format("password-hash", "$", r"\$(?:2[abxy]|argon2(?:id|i|d)|[156y]|scrypt|pbkdf2(?:-sha[0-9]{1,3})?)\$[A-Za-z0-9./$,=+-]{16,256}"),
    _format("password-hash", "{ssha {sha} {crypt}", r"\{(?:SSHA|SHA|SSHA256|SSHA512|CRYPT)\}[A-Za-z0-9+/$.]{16,256}={0,2}"),
)  # fmt: skip
