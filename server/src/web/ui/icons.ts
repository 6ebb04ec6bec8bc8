import { html, type SafeHtml } from './html.ts'

// Line drawings of 20 by 20, in the colour of the text beside them, hidden from screen readers: words say the same.

/** Reading. */
export const eye: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10z"/><circle cx="10" cy="10" r="2.5"/></svg>`

/** Changing. */
export const pencil: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3.5 16.5l.8-3.6L13.6 3.6a1.6 1.6 0 0 1 2.3 0l.5.5a1.6 1.6 0 0 1 0 2.3L7.1 15.7z"/></svg>`

/** Time, and what goes on while somebody is away. */
export const clock: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/><path d="M10 5.5V10l3 2"/></svg>`

/** Caution. */
export const caution: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 2.8L18 16.5H2z"/><path d="M10 8v4M10 14.2v.1"/></svg>`

/** Refusal. */
export const cross: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/><path d="M7.3 7.3l5.4 5.4M12.7 7.3l-5.4 5.4"/></svg>`

/** Success. */
export const tick: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/><path d="M6.8 10.2l2.3 2.3 4.2-4.7"/></svg>`

/** A remark. */
export const info: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/><path d="M10 9.2v4.500M10 6.3v.1"/></svg>`

/** From one party to another. */
export const arrows: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 7.2h13l-3-3M17 12.8H4l3 3"/></svg>`

/** Belongs to the thing above. */
export const branch: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M5 3v7a3 3 0 0 0 3 3h8M13 10l3 3-3 3"/></svg>`

/** The menu on small screens. */
export const menu: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="M3 5.5h14M3 10h14M3 14.5h14"/></svg>`

/** Searching. */
export const lens: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="9" cy="9" r="5.5"/><path d="M13 13l4 4"/></svg>`

/** A letter. */
export const mail: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><rect x="2.5" y="4.5" width="15" height="11" rx="1.5"/><path d="M3 5.5l7 5.5 7-5.5"/></svg>`

/** Languages. */
export const globe: SafeHtml = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/><path d="M2.5 10h15M10 2.5c-5 5-5 10 0 15 5-5 5-10 0-15"/></svg>`
