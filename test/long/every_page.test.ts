// What npm test looks at on one page of each template, on every state of every page.
process.env['SALLYPORT_TEST_EVERY_PAGE'] = 'yes'
await import('../browser/pages.test.ts')
