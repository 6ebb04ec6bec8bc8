/** @sallyport/sdk: protects an API with OAuth 2 access tokens. */
export * from './resource/resource.ts'
