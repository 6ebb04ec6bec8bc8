// Tells the page that opened this popup that it is time to look, at its exact origin and without saying anything else,
// and leaves. The provider's pages may have cut the two apart: then the page finds out by itself.
const { origin } = document.getElementById('connect_done').dataset
window.opener?.postMessage({ type: 'sallyport:connect' }, origin)
window.close()
