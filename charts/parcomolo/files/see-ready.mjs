// Waits until the REST interface is ready and says which sagas are in force; run by `helm test` without the shop.
await asked('/readyz?view')
const { items } = await asked('/definitions')
console.log(items.length === 0 ? 'ready; no saga is in force yet' : `ready; sagas: ${items.map(({ saga }) => saga)}`)
