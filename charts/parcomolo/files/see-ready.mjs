// Waits until the REST interface is ready and says which sagas are in force; run by `helm test` without the shop.
const url = process.env.SHOP_URL
const end = Date.now() + 90_000

/** Tries again what fails for a moment: a service whose pods are just changing. */
const asked = async (path) => {
  for (;;) {
    const said = await fetch(url + path).then(
      async (answer) => ({ ok: answer.ok, status: answer.status, body: await answer.json() }),
      (error) => ({ ok: false, status: 0, body: String(error.cause ?? error) })
    )
    if (said.ok) return said.body
    console.log(`${path}: ${said.status} ${JSON.stringify(said.body)}`)
    if (Date.now() > end) process.exit(1)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

await asked('/readyz?view')
const { items } = await asked('/definitions')
console.log(items.length === 0 ? 'ready; no saga is in force yet' : `ready; sagas: ${items.map(({ saga }) => saga)}`)
