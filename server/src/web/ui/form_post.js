// Sends the form of the page at once; without JavaScript its button does.
document.getElementById('form_post').submit()
