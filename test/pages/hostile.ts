/** Texts that somebody hostile, or merely unusual, may choose as a name. */
export const hostile: Readonly<Record<string, string>> = {
  script: '"><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">',
  long: 'Averyverylongnamewithoutanyblank'.repeat(320).slice(0, 10_000),
  emoji: '👩🏽‍💻 Notes 🏴󠁧󠁢󠁥󠁮󠁧󠁿🇨🇭 café',
  bidi: '\u202emoc.elgoog\u202c \u2066notes\u2069 עברית العربية',
  marks: `Z${'\u0334\u0315\u035d\u0352'.repeat(40)}algo`,
  blank: ' \u200b\u3164\u2060 ',
  lines: 'First\nSecond\r\n\u2028Third\u0000\u001b[31m',
}
