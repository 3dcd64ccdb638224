import { setTimeout as delay } from 'node:timers/promises'
import test, { type ImplementationFn } from 'ava'
import { type ApiServer, kubeAssets, startApiServer } from '../../helpers/api-server.ts'
import { type Condition, fileOf } from './resource.ts'

/** An API server that has the CRDs of the chart, for all tests of the file. To be called at its top. */
export const useCluster = (): { readonly api: ApiServer } => {
  let api: ApiServer | undefined
  if (kubeAssets === undefined) test.skip('KUBEBUILDER_ASSETS names no API server', () => undefined)
  test.before(async () => {
    if (kubeAssets === undefined) return
    api = await startApiServer()
    await addDefinitions(api)
  })
  test.after.always(() => api?.stop())
  return {
    get api() {
      return api!
    }
  }
}

/** A test that is there only where an API server can be had. */
export const testOnCluster = (title: string, run: ImplementationFn<[], unknown>): void => {
  if (kubeAssets !== undefined) test.serial(title, run)
}

const addDefinitions = async (api: ApiServer): Promise<void> => {
  const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const names = ['sagas', 'participants'].map((plural) => `${plural}.parcomolo.io`)
  for (const name of names) {
    const { status, body } = await api.apply(
      `${collection}/${name}`,
      await fileOf(`charts/parcomolo/crds/${name}.yaml`)
    )
    if (status >= 300) throw new Error(JSON.stringify(body))
  }
  for (const name of names) await established(api, `${collection}/${name}`)
}

/** The server says so by itself, in a moment; nothing tells of it but a look. */
const established = async (api: ApiServer, path: string): Promise<void> => {
  for (;;) {
    const { body } = await api.request('GET', path)
    const { conditions } = (body['status'] ?? {}) as { conditions?: Condition[] | null }
    if (conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true) break
    await delay(25)
  }
  const plural = path.endsWith('/sagas.parcomolo.io') ? 'sagas' : 'participants'
  for (;;) {
    const { status } = await api.request('GET', `/apis/parcomolo.io/v1alpha1/namespaces/default/${plural}`)
    if (status === 200) return
    await delay(25)
  }
}
