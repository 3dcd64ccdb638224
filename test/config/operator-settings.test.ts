import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readConfig } from '../../src/config/index.ts'
import { countRunning } from '../../src/main/running-counts.ts'

const problemsOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment)
    return ''
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return error.message
  }
}

const onKubernetes = { PARCOMOLO_DEFINITIONS: 'kubernetes' }

test('sagas come from files unless the environment says otherwise', (t) => {
  t.like(readConfig({}), { definitions: 'files', namespace: null, viewUrl: null })
})

test('every variable of the operator is taken', (t) => {
  const environment = { ...onKubernetes, PARCOMOLO_NAMESPACE: 'shop-1', PARCOMOLO_VIEW_URL: 'http://shop:80/' }
  t.like(readConfig(environment), { definitions: 'kubernetes', namespace: 'shop-1', viewUrl: 'http://shop:80' })
})

test('what is none is refused, and told what was expected', (t) => {
  t.regex(problemsOf({ PARCOMOLO_DEFINITIONS: 'helm' }), /'helm' is not accepted; expected 'files' or 'kubernetes'/)
  t.regex(problemsOf({ ...onKubernetes, PARCOMOLO_NAMESPACE: 'My_Shop' }), /expected a namespace's name/)
  t.regex(problemsOf({ ...onKubernetes, PARCOMOLO_VIEW_URL: 'shop:80' }), /expected an http or https URL/)
  t.regex(problemsOf({ ...onKubernetes, PARCOMOLO_VIEW_URL: 'http://shop/view' }), /without a path/)
})

test('what only Kubernetes has a use for is refused where sagas come from files', (t) => {
  t.regex(
    problemsOf({ PARCOMOLO_VIEW_URL: 'http://shop' }),
    /PARCOMOLO_VIEW_URL: 'http:\/\/shop' is not accepted where sagas come from files; expected PARCOMOLO_DEFINITIONS/
  )
})

/** A read model that answers so, at this address. */
const viewThat = async (t: ExecutionContext, status: number, body: object): Promise<string> => {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the read model is asked how many instances run on each revision', async (t) => {
  const revisions = [
    { revision: 'b', running: 2 },
    { revision: 'a', running: 0 }
  ]
  const url = await viewThat(t, 200, { items: [{ saga: 'order', revisions }], nextCursor: null })
  t.deepEqual(await countRunning(url).count(), [
    { saga: 'order', revision: 'b', count: 2 },
    { saga: 'order', revision: 'a', count: 0 }
  ])
})

test('no answer is no count, and may be asked for again', async (t) => {
  const expected = { code: 'PARCOMOLO_MAIN_VIEW_UNAVAILABLE', retryable: true }
  for (const url of [null, await viewThat(t, 503, {}), 'http://127.0.0.1:1'])
    t.like(await t.throwsAsync(countRunning(url).count()), expected)
})
