/** A letter before it is written out: paragraphs of plain text, and one link to open. */
export interface Letter {
  /** Its language, as a tag (BCP 47). */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** An address of ours, and what stands on it. */
  readonly link?: { readonly url: string; readonly label: string }
  /** Small print below. */
  readonly closing: readonly string[]
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** The text of a letter for the body of a message: everything that comes from data is escaped here, once. */
export function writeLetter({ lang, dir, subject, paragraphs, link, closing }: Letter): { text: string; html: string } {
  const lines = [...paragraphs, ...(link ? [`${link.label}:\n${link.url}`] : []), ...closing]
  const p = (text: string, style: string) => `<p style="margin:0 0 16px;${style}">${escapeHtml(text)}</p>`
  const button = link
    ? `<p style="margin:24px 0"><a href="${escapeHtml(link.url)}" style="display:inline-block;padding:12px 20px;border-radius:10px;background:#3350c0;color:#fff;font-weight:600;text-decoration:none">${escapeHtml(link.label)}</a></p>`
    : ''
  const html = `<!doctype html>
<html lang="${escapeHtml(lang)}" dir="${dir}"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#f6f6f4;font:16px/1.5 system-ui,sans-serif;color:#1c1d20">
<div style="max-width:480px;margin:0 auto;padding:32px;border-radius:16px;background:#fff">
${paragraphs.map((text) => p(text, '')).join('\n')}
${button}
${closing.map((text) => p(text, 'color:#5c5f66;font-size:14px')).join('\n')}
</div></body></html>
`
  return { text: `${lines.join('\n\n')}\n`, html }
}

/** Text of people or clients, for a sentence of a letter: one line, no invisible characters, not too long. */
export function plain(text: string, longest = 100): string {
  const line = text
    .normalize('NFC')
    .replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .trim()
  const letters = [...line]
  return letters.length <= longest ? line : `${letters.slice(0, longest - 1).join('')}…`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}
