"""A hundred texts that somebody might type to have them run: by a browser, a template, a typesetter, an agenda.

None holds NUL, which no text of the log may.
"""

from __future__ import annotations

from collections.abc import Iterator

ALERT = "alert(1)"
ELEMENTS = (
    f"<script>{ALERT}</script>",
    f"<ScRiPt >{ALERT}</sCrIpT>",
    "<script src=//evil.example/x.js></script>",
    f"<script/x>{ALERT}</script>",
    f"<<script>{ALERT}//<</script>",
    f"<img src=x onerror={ALERT}>",
    f"<img/src='x'/onerror={ALERT}>",
    f"<IMG SRC=x OnError={ALERT}>",
    f"<svg onload={ALERT}>",
    f"<svg/onload={ALERT}>",
    f"<svg><script>{ALERT}</script></svg>",
    f"<svg><animate onbegin={ALERT} attributeName=x>",
    f"<body onload={ALERT}>",
    f"<input autofocus onfocus={ALERT}>",
    f"<select autofocus onfocus={ALERT}>",
    f"<textarea autofocus onfocus={ALERT}>",
    f"<details open ontoggle={ALERT}>",
    f"<video><source onerror={ALERT}>",
    f"<audio src=x onerror={ALERT}>",
    f"<marquee onstart={ALERT}>",
    f"<iframe src=javascript:{ALERT}>",
    f"<iframe srcdoc='<script>{ALERT}</script>'>",
    f"<object data=javascript:{ALERT}>",
    "<embed src=//evil.example>",
    f"<math><a xlink:href=javascript:{ALERT}>x",
    f"<form action=javascript:{ALERT}><button>x",
    f"<button formaction=javascript:{ALERT}>x",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<style>@import '//evil.example'</style>",
    f"<style>*{{background:url(javascript:{ALERT})}}</style>",
    f"<div style=width:expression({ALERT})>",
    f"<a href=javascript:{ALERT}>x</a>",
    f"<a href='data:text/html,<script>{ALERT}</script>'>x</a>",
    f"<x onclick={ALERT}>x",
    f"<template><script>{ALERT}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={ALERT}>'>",
)
OUT_OF_ATTRIBUTES = (
    f'"><script>{ALERT}</script>',
    f"'><script>{ALERT}</script>",
    f'" onmouseover="{ALERT}',
    f"' onmouseover='{ALERT}",
    f'" autofocus onfocus={ALERT} x="',
    f"` onerror={ALERT} `",
    f'"/><svg onload={ALERT}>',
    "\"><b>bold</b><i a='",
    f"</textarea><script>{ALERT}</script>",
    f"</select><script>{ALERT}</script>",
    f"</title><script>{ALERT}</script>",
    f"</style><script>{ALERT}</script>",
    f"</p></li></ol><script>{ALERT}</script>",
    f"</option><img src=x onerror={ALERT}>",
)
ENCODED = (
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\\x3cscript\\x3ealert(1)",
    "+ADw-script+AD4-alert(1)",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "<\u200bscript>alert(1)</script>",
    "java\tscript:alert(1)",
    "&amp;lt;script&amp;gt;",
    "\u202e<script>alert(1)</script>\u202c",
    "\u2066<img src=x onerror=alert(1)>\u2069",
)
SCHEMES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "//evil.example/x",
)
COMMENTS = ("<!--<script>alert(1)</script>", "--><script>alert(1)</script>", "<![CDATA[<script>alert(1)]]>")
TEMPLATES = (
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "{# note #}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{constructor.constructor('alert(1)')()}}",
    "%s %d %(x)s",
    "{0} {reason} {",
    "{{ config }} {% include '/etc/passwd' %}",
)
MARKUP = (
    '#panic("run") #{ 1 + 1 }',
    '#read("/etc/passwd")',
    '#import "@preview/x:1.0.0"',
    "$ x^2 $ *gras* _italique_ = Titre",
    "@ref <label> // /* */ ```",
    r"\input{/etc/passwd} \write18{id}",
    "[x](javascript:alert(1)) ![x](//evil.example)",
    "# Titre\n<script>alert(1)</script>",
)
LINES = (
    "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:other",
    "x\nATTACH:file:///etc/passwd",
    "x;VALUE=URI:javascript:alert(1)",
    "x\r\nSet-Cookie: a=b",
    '=HYPERLINK("//evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "'; DROP TABLE events; --",
    '"}],"x":[{"',
    "\x1b]0;title\x07\x1b[31m",
)
PAYLOADS = ELEMENTS + OUT_OF_ATTRIBUTES + ENCODED + SCHEMES + COMMENTS + TEMPLATES + MARKUP + LINES
TOGETHER = " ¦ ".join(PAYLOADS)
"""All of them in one text."""


def chunks(most: int) -> list[str]:
    """All of them in as few texts of so many characters as it takes; a longer one is left out."""
    return list(_chunks(most))


def _chunks(most: int) -> Iterator[str]:
    held = ""
    for each in PAYLOADS:
        if len(held) + len(each) + 1 > most:
            yield held
            held = ""
        held = f"{held} {each}" if held else each
    yield held
