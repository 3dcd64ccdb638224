import test from 'ava'
import { hasSpecChanged, isNewer, type KubeObject, microTime, pathOf } from '../../../src/operator/kube/resource.ts'

const object = (metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  metadata: { name: 'a', uid: 'u', resourceVersion: '1', generation: 1, finalizers: ['mine'], ...metadata }
})

test('what a person changes counts, and what comes and goes; a status and a new finalizer do not', (t) => {
  t.false(hasSpecChanged(object(), object({ resourceVersion: '2' })))
  t.false(hasSpecChanged(object(), object({ finalizers: ['mine', 'theirs'] })))
  for (const metadata of [{ generation: 2 }, { uid: 'v' }, { deletionTimestamp: 'now' }, { finalizers: ['theirs'] }])
    t.true(hasSpecChanged(object(), object(metadata)), JSON.stringify(metadata))
  t.true(hasSpecChanged(undefined, object()))
  t.true(hasSpecChanged(object(), undefined))
})

test('versions are compared as whole numbers, however long', (t) => {
  const of = (resourceVersion: string): KubeObject => object({ resourceVersion })
  t.true(isNewer(of('10'), of('9')))
  t.false(isNewer(of('9'), of('10')))
  t.false(isNewer(of('9'), of('9')))
  t.true(isNewer(of('90071992547409931'), of('90071992547409930')))
  t.true(isNewer(of('abc'), of('10')))
})

test('paths are those of the API, for the core group too, and names cannot break out of them', (t) => {
  const kind = { group: 'parcomolo.io', version: 'v1alpha1', kind: 'Saga', plural: 'sagas' }
  t.is(pathOf(kind, 'shop', 'order', 'status'), '/apis/parcomolo.io/v1alpha1/namespaces/shop/sagas/order/status')
  t.is(pathOf({ ...kind, group: '', version: 'v1' }, 'shop'), '/api/v1/namespaces/shop/sagas')
  t.is(pathOf(kind, 'shop', '../x'), '/apis/parcomolo.io/v1alpha1/namespaces/shop/sagas/..%2Fx')
})

test('a time has six digits', (t) => {
  t.is(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 67)), '2026-01-02T03:04:05.067000Z')
})
