import test from 'ava'
import { kubeAssets, startApiServer } from '../../helpers/api-server.ts'

if (kubeAssets === undefined) test.skip('a real API server: KUBEBUILDER_ASSETS names none', () => undefined)
else testApiServer()

function testApiServer(): void {
  test.serial(
    'the API server of a test is ready at once, with rights, and forgets old revisions when told',
    async (t) => {
      const api = await startApiServer({ flags: ['--watch-cache=false'] })
      t.teardown(() => api.stop())
      const secrets = '/api/v1/namespaces/default/secrets'
      const { body } = await api.request('GET', secrets)
      const { resourceVersion } = body['metadata'] as { resourceVersion: string }
      for (const name of ['one', 'two', 'three']) {
        const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name } }
        t.is((await api.apply(`${secrets}/${name}`, secret)).status, 201)
      }
      t.is((await api.request('GET', `${secrets}/one`, { token: 'nobody' })).status, 401)
      await api.compact()
      const gone = await api.request('GET', `${secrets}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=1`)
      t.like(gone.body, { type: 'ERROR', object: { code: 410 } })
    }
  )
}
