// What both scripts of `helm test` begin with.
const url = process.env.SHOP_URL
const end = Date.now() + 90_000

/** Tries again what fails for a moment: a service whose pods are just changing, a shelf that is not filled yet. */
const asked = async (path, options) => {
  for (;;) {
    const said = await fetch(url + path, options).then(
      async (answer) => ({ ok: answer.ok, status: answer.status, body: await answer.json() }),
      (error) => ({ ok: false, status: 0, body: String(error.cause ?? error) })
    )
    if (said.ok) return said.body
    console.log(`${path}: ${said.status} ${JSON.stringify(said.body)}`)
    if (Date.now() > end) process.exit(1)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}
