import test, { type ExecutionContext } from 'ava'
import { hasHelm, lint, notes, rendered, type Values } from './helm.ts'
import { environment, named, podsIn, render, roles, workload, workloadsIn } from './parts.ts'
import { resourcesIn } from './plain-manifests.ts'
import { variants } from './variants.ts'

if (!hasHelm) test.skip('what the chart renders: there is no helm in PATH', () => undefined)
else {
  testWorkloads()
  testDetails()
  testRefusals()
}

/** What there is without any service. */
const engine = ['orchestrator', 'courier', 'operator', 'view', 'registry'].map((role) => `shop-parcomolo-${role}`)

/** `expected`: what the refusal has to say. */
const refuses = async (t: ExecutionContext, values: Values, expected: string): Promise<void> => {
  const error = await t.throwsAsync(rendered(values))
  t.true(error?.message.includes(expected), error?.message)
}

function testWorkloads(): void {
  test('the chart lints without a warning', async (t) => {
    t.regex(await lint(), /1 chart\(s\) linted, 0 chart\(s\) failed/)
  })

  test('every role is a workload of its own', async (t) => {
    const resources = await render({})
    const own = [...roles, 'registry'].map((role) => `shop-parcomolo-${role}`)
    t.deepEqual(named(resources, 'Deployment').toSorted(), own.toSorted())
    t.deepEqual(named(resources, 'StatefulSet'), ['shop-parcomolo-kafka'])
    for (const role of roles) t.is(environment(resources, role)['PARCOMOLO_ROLES'], role)
  })

  test('choreography has neither orchestrator nor courier nor operator nor sagas', async (t) => {
    const resources = await render({ flow: 'choreography' })
    t.deepEqual(
      named(resources, 'Deployment').filter((name) => /orchestrator|courier|operator/.test(name)),
      []
    )
    t.deepEqual([...named(resources, 'Saga'), ...named(resources, 'Participant'), ...named(resources, 'Lease')], [])
    t.is(environment(resources, 'payment')['FLOW'], 'choreography')
  })

  test('each service that is listed runs, as its own values say, or else those for all', async (t) => {
    const resources = await render({ services: ['order', 'gift'], defaults: { replicas: 3 } })
    const services = named(resources, 'Deployment').filter((name) => !engine.includes(name))
    t.deepEqual(services.toSorted(), ['shop-parcomolo-gift', 'shop-parcomolo-order'])
    t.is(workload(resources, 'Deployment', 'shop-parcomolo-gift').replicas, 3)
    t.is(environment(resources, 'gift')['PARCOMOLO_ROLES'], 'gift')
    t.is(workload(resources, 'Deployment', 'shop-parcomolo-order').replicas, 1)
  })

  test('without the shop there is the engine alone, and nothing of what the shop needs', async (t) => {
    const resources = await render({ shop: { enabled: false } })
    t.deepEqual(named(resources, 'Deployment').toSorted(), engine.toSorted())
    t.deepEqual([...named(resources, 'Saga'), ...named(resources, 'Participant'), ...named(resources, 'Secret')], [])
    for (const role of ['orchestrator', 'operator', 'view']) {
      const { PARCOMOLO_APP: app, PARCOMOLO_SAGAS: folder, FLOW: flow } = environment(resources, role)
      t.deepEqual([app, folder, flow], ['none', '/app/bare', undefined], role)
    }
    const shown = await notes({ shop: { enabled: false } })
    t.regex(shown, /runs without the shop .*localhost:8080\/sagas/s)
    t.notRegex(shown, /orders|edit saga order/)
  })

  test("the project's sagas and participants are installed as they stand in its folder", async (t) => {
    const resources = await render({})
    t.deepEqual(named(resources, 'Saga'), ['order'])
    t.deepEqual(named(resources, 'Participant').toSorted(), ['inventory', 'order', 'payment', 'shipping'])
    const { spec } = resources.find(({ kind }) => kind === 'Saga')!
    t.like(spec, { start: { on: 'OrderPlaced', key: 'event.orderId' }, cancel: { on: 'OrderCancelled' } })
  })

  test('only the pods of the operator, and the one that uninstalls, get a token', async (t) => {
    const withToken = workloadsIn(await render({})).filter(({ template }) => template.spec.automountServiceAccountToken)
    const components = withToken.map(({ template }) => template.metadata.labels['app.kubernetes.io/component'])
    t.deepEqual(components.toSorted(), ['operator', 'uninstall'])
  })

  test('no pod gets variables made of the names of services', async (t) => {
    for (const { enableServiceLinks } of podsIn(await render({}))) t.false(enableServiceLinks)
  })
}

function testDetails(): void {
  test('another version of the chart, by itself, starts no pod anew', async (t) => {
    for (const { template } of workloadsIn(await render({})))
      t.deepEqual(
        Object.keys(template.metadata.labels).filter((label) => /chart|version|managed/.test(label)),
        []
      )
  })

  test('without a scaler the chart sets the number of replicas, with one it does not', async (t) => {
    const replicas = async (values: Values, role: string): Promise<number | undefined> =>
      workload(await render(values), 'Deployment', `shop-parcomolo-${role}`).replicas
    t.is(await replicas({ payment: { replicas: 0 } }, 'payment'), 0)
    t.is(await replicas({ view: { replicas: 3 } }, 'view'), 3)
    t.is(await replicas(variants['scaled view']!, 'view'), undefined)
    t.is(await replicas(variants['KEDA']!, 'payment'), undefined)
    t.is(await replicas(variants['KEDA']!, 'inventory'), 1)
  })

  test("a role's own value takes the place of the one for every role", async (t) => {
    const resources = await render({ defaults: { env: { A: 'all' }, replicas: 2 }, payment: { env: { B: 'own' } } })
    t.is(environment(resources, 'shipping')['A'], 'all')
    t.is(environment(resources, 'payment')['A'], undefined)
    t.is(environment(resources, 'payment')['B'], 'own')
  })

  test('a variable of the values takes the place of the one that the chart would set', async (t) => {
    const resources = await render({ order: { env: { LOG_LEVEL: 'debug' } } })
    t.is(environment(resources, 'order')['LOG_LEVEL'], 'debug')
  })

  test('an old view stays until a new one has had the time to get right', async (t) => {
    const seconds = async (values: Values, role: string): Promise<number | undefined> =>
      workload(await render(values), 'Deployment', `shop-parcomolo-${role}`).minReadySeconds
    t.is(await seconds({}, 'view'), 10)
    t.is(await seconds({}, 'order'), undefined)
    t.is(await seconds({ view: { minReadySeconds: 0 } }, 'view'), undefined)
  })

  test("the notes say after how many orders the broker's volume is full", async (t) => {
    t.regex(await notes({}), /8Gi are full after some\n390,000 orders/)
    t.regex(await notes({ kafka: { broker: { persistence: { size: '1Ti' } } } }), /1Ti are full after some\n49 million/)
    t.notRegex(await notes(variants['broker without a volume']!), /are full after/)
    t.notRegex(await notes(variants['own Kafka']!), /are full after/)
  })

  test('a release of another name has nothing in common with the first', async (t) => {
    const first = await rendered({})
    const second = await rendered({}, 'stall')
    const names = (yaml: string): string[] =>
      resourcesIn(yaml)
        .filter(({ kind }) => !['Saga', 'Participant', 'Lease'].includes(kind))
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    t.deepEqual(
      names(second).filter((name) => names(first).includes(name)),
      []
    )
  })
}

function testRefusals(): void {
  test('values that do not go together are refused with what to do', async (t) => {
    await refuses(t, { kafka: { enabled: false } }, 'kafka.brokers: names no broker')
    await refuses(t, { kafka: { brokers: ['a:1'] } }, "kafka.brokers: 'a:1' is not accepted with kafka.enabled")
    await refuses(t, { kafka: { sasl: { mechanism: 'plain', existingSecret: 'a' } } }, 'kafka.sasl, kafka.tls: are not')
    await refuses(
      t,
      { registry: { url: 'http://a' } },
      "registry.url: 'http://a' is not accepted with registry.enabled"
    )
    await refuses(t, { registry: { enabled: false } }, 'registry.url: names no registry')
    await refuses(t, { view: { autoscaling: { enabled: true } } }, 'view.autoscaling: is not accepted on SQLite')
    await refuses(t, { enabled: false }, "enabled: 'false' takes nothing away by itself")
    await refuses(t, { view: { service: { nodePort: 30_080 } } }, "view.service.nodePort: '30080' is not accepted with")
    await refuses(t, { view: { service: { loadBalancerIP: '192.0.2.1' } } }, 'view.service: loadBalancerIP and load')
    await refuses(t, { view: { httpRoute: { enabled: true } } }, 'view.httpRoute.parentRefs: names no gateway')
    await refuses(t, { flow: 'choreography', keda: { enabled: true } }, 'keda.enabled: is not accepted with flow')
    await refuses(t, { partitions: 3, keda: { enabled: true } }, "keda.maxReplicas: '4' is above partitions '3'")
    await refuses(t, { services: ['view'] }, "services: 'view' is not accepted, as the chart has something else")
    await refuses(t, { services: ['flow'] }, "services: 'flow' is not accepted, as the chart has something else")
    await refuses(t, { services: null }, 'services: is no list, as in values of a chart before it')
    const unlisted = { services: ['order'], keda: { enabled: true } }
    await refuses(t, unlisted, "keda.roles: 'payment' is not accepted, as it is none of services")
    const bare = { shop: { enabled: false } }
    await refuses(t, { ...bare, flow: 'choreography' }, "flow: 'choreography' is not accepted without shop.enabled")
    await refuses(t, { ...bare, keda: { enabled: true } }, 'keda.enabled: is not accepted without shop.enabled')
    const own = { enabled: false, brokers: ['a:1'] }
    await refuses(t, { kafka: { ...own, sasl: { mechanism: 'plain' } } }, 'kafka.sasl.existingSecret: names no secret')
    await refuses(t, { kafka: { ...own, tls: { caSecret: 'a' } } }, 'kafka.tls: names secrets but is not enabled')
    await refuses(t, { kafka: { ...own, tls: { enabled: true } } }, 'registry.enabled: the registry for development')
  })

  test('a release whose name would make no name of a service is refused with the reason', async (t) => {
    const error = await t.throwsAsync(rendered({}, '1st'))
    t.true(error?.message.includes("fullnameOverride: '1st-parcomolo' is made of the release's name '1st'"))
    t.true(error?.message.includes('DNS-1035'), error?.message)
    await t.notThrowsAsync(rendered({ fullnameOverride: 'first' }, '1st'))
  })

  test('Helm refuses a value that the chart does not have', async (t) => {
    await refuses(t, { operator: { replica: 2 } }, "additional properties 'replica' not allowed")
  })
}
