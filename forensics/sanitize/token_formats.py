# ruff: noqa: E501  an expression is read better in one line
"""The tokens that are recognised by their own form, whatever is around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forensics.sanitize.hash_formats import HASHES, TokenFormat
from forensics.sanitize.hash_formats import token_format as _format

B64, URL64, HEX, WORD = "[A-Za-z0-9+/]", "[A-Za-z0-9_-]", "[0-9a-f]", "[A-Za-z0-9]"


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
    _format("access-key", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])(?::[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?"),
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
            "ntn_", "GR1348941", "glwt-", "dnkey-", "flb_live_", "shltm_", "BBFF-", "sq0idp-", "slk_", "mdb_sa_sk_", "ak_live_", "sm_aat_", "sm_pat_",
            "sm_sat_", "tk-us-", "p8e-", "pk_live_", "ATSTT", "tr_dev_", "tr_prod_", "sk-lf-", "pk-lf-", "ory_at_", "ory_rt_", "ory_st_", "ory_pat_", "ory_ac_",
            "pylf_v1_", "pylf_v2_", "vercel_blob_rw_", "wandb_v1_", "tgp_v1_", "fm1a_", "fm1r_", "key_live_", "key_test_", "dash0_", "gpat_", "zpka_",
            "vci_", "vca_", "vcr_", "nfc_", "nfo_", "nfb_", "rg_v1_", "sbp_oauth_", "IGQVJ", "IGQWR", "cfut_", "cfat_", "cfk_", "sk_V2_", "apify_proxy_",
            "figdr_", "figoh_", "tok_live_", "tok_test_", "api_live_", "api_test_", "ek_live_", "ek_test_", "polar_oat_", "polar_pat_", "linear_oauth_",
            "lin_oauth_", "lin_wh_", "cmVmdGtuO",
        ),
    ),
    _format("token", "fm1 fm2_", rf"fm(?:1[ar]|2)_{B64}{{20,4096}}={{0,3}}"),
    _format("token", "glc_ sntrys_ absk ops_eyj", rf"(?:glc_|sntrys_|ABSK|ops_eyJ){B64}{{32,4096}}={{0,3}}(?:_{B64}{{20,64}})?"),
    _format("token", "bedrock-api-key-", rf"bedrock-api-key-{B64}{{20,4096}}={{0,2}}"),
    _format("token", "pat", rf"pat{WORD}{{14}}\.{HEX}{{60,66}}", rf"(?:pat|sat)\.{URL64}{{22}}\.{WORD}{{24}}\.{WORD}{{20}}", rf"patB?{WORD}{{14}}\.{WORD}{{60,66}}"),
    _format("token", "a3-", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    _format("token", "ltai akid", rf"LTAI{WORD}{{12,26}}(?![A-Za-z0-9])", rf"AKID{WORD}{{32,36}}(?![A-Za-z0-9])"),
    _format("token", "sha256~", rf"sha256~{URL64}{{43}}"),
    _format("token", "q~", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),  # Azure
    _format("token", "_mmk", rf"{WORD}{{6}}_{WORD}{{29}}_mmk"),
    _format("token", "v1.0-", rf"v1\.0-{HEX}{{24}}-{HEX}{{100,200}}"),
    _format("token", "1000.", rf"1000\.{HEX}{{32}}\.{HEX}{{32}}"),
    _format("token", "aqvn t1.9eu", rf"AQVN{URL64}{{35,38}}", rf"t1\.9eu{URL64}{{20,512}}\.{URL64}{{40,128}}"),
    _format("token", "vf.", rf"VF\.(?:DM\.|WS\.)?{HEX}{{24}}\.{WORD}{{16}}"),
    _format("token", "sl.", rf"sl\.(?:u\.)?(?=[A-Za-z_-]{{0,64}}[0-9]){URL64}{{60,2048}}"),
    _format("token", "api-", r"API-[A-Z0-9]{24,36}(?![A-Za-z0-9])"),  # Octopus Deploy
    _format("token", "sk", r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),  # Twilio
    _format("token", "ac", r"AC[0-9a-f]{32}:[0-9a-f]{32}(?![A-Za-z0-9])"),
    _format("token", "pk_", r"pk_[0-9]{6,10}_[A-Z0-9]{32}(?![A-Za-z0-9])"),  # ClickUp
    _format("token", "4b1d", rf"4b1d(?=[a-z0-9]{{0,38}}[A-Z]){WORD}{{38}}(?![A-Za-z0-9])"),
    _format("token", "nral", rf"{HEX}{{36}}NRAL"),
    _format("token", "fc- bb_live_", rf"fc-{HEX}{{32}}(?![A-Za-z0-9])", rf"bb_live_{URL64}{{16,128}}"),
    _format("token", "00d", r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{60,200}"),  # Salesforce
    _format("token", "aaaaaaaaaaaaaaaaaaaa", r"A{20,24}[A-Za-z0-9%]{40,160}"),  # Twitter
    _format("token", "iqojb3jpz2lu fqogzxivyxdz fwogzxivyxdz", rf"(?:IQoJb3JpZ2lu|FQoGZXIvYXdz|FwoGZXIvYXdz){B64}{{40,4096}}={{0,2}}"),  # AWS' session tokens
    _format("token", "claim-", rf"claim-(?=[A-Za-z_-]{{0,20}}[0-9]){URL64}{{20}}(?![\w-])"),  # Plex
    _format("token", "eyjhijoi cloudflared-", r"cloudflared-[A-Za-z0-9_-]{40,512}", rf"eyJhIjoi{B64}{{60,1024}}={{0,2}}"),  # Cloudflare's tunnels
    _format("token", "s.", rf"s\.(?=[A-Za-z]{{0,24}}[0-9])(?=[a-z0-9]{{0,24}}[A-Z]){WORD}{{24}}(?![A-Za-z0-9.(])"),  # Vault before 1.10
    _format("token", "phx_ phs_", rf"ph[xs]_{WORD}{{30,64}}"),
    _format("token", "cs_ ck_", r"c[ks]_[0-9a-f]{40}(?![A-Za-z0-9])"),  # WooCommerce
    _format("token", "k_live", rf"(?:sk|rk|ek|pk)_live_{URL64}{{16,256}}"),
    _format("private-key", "xprv yprv zprv tprv", r"[xyzt]prv[1-9A-HJ-NP-Za-km-z]{90,112}"),
    _format("private-key", "su sa so sn sc sx", r"S[UANOCX][A-Z2-7]{56}(?![A-Za-z0-9])"),  # NATS
    _format("private-key", "nsec1", r"nsec1[02-9ac-hj-np-z]{50,64}"),
    _format("private-key", "5h 5j 5k k l", r"(?:5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL](?=[A-Za-z]{0,51}[1-9])(?=[1-9A-Z]{0,51}[a-z])[1-9A-HJ-NP-Za-km-z]{51})(?![A-Za-z0-9])"),
    _format("private-key", "ls0tls1crudjtib", rf"LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJ|FQyBQUklW|PUEVOU1NI|FTkNSWVBU|EU0EgUFJJ){B64}{{20,8192}}={{0,2}}"),  # PEM in base64
    _format("recovery-key", "-", r"[0-9]{6}(?:-[0-9]{6}){7}(?![0-9-])"),  # BitLocker
    _format("recovery-key", "-", r"(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}"),  # systemd-cryptenroll
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
    _format("token", "swmtkn- swmkey-", r"SWM(?:TKN|KEY)-1-[A-Za-z0-9+/-]{40,128}"),
    _format("token", "k10", rf"K10{HEX}{{40,64}}::[\w:.-]{{4,256}}"),
    _format("token", "pveapitoken", r"PVEAPIToken=[\w.@!-]{3,128}[=:][0-9a-f-]{20,64}"),
    _format("token", ":", r"[0-9]{8,12}:[A-Za-z0-9_-]{33,40}(?![\w-])"),  # Telegram
    _format("token", ".", r"[MNO][A-Za-z0-9_-]{22,30}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{25,45}(?![\w.-])"),  # Discord
    _format("token", "mfa.", rf"mfa\.{URL64}{{60,128}}"),
    _format("token", "apa91b", rf"{URL64}{{8,24}}:APA91b{URL64}{{60,256}}"),
    _format("token", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z$]{16,128}"),
    _format("token", "gaaaaa", rf"gAAAAA{URL64}{{50,4096}}={{0,2}}"),  # Fernet
    _format("private-key", "age-secret-key-", r"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20,2048}"),
    *HASHES,
)  # fmt: skip
