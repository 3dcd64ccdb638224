import test from 'ava'
import { fed, hasHelm, hasKubeScore, rendered, type Values } from './helm.ts'
import { variants } from './variants.ts'

if (!hasHelm || !hasKubeScore)
  test.skip(`what kube-score says: there is no ${hasHelm ? 'kube-score' : 'helm'} in PATH`, () => undefined)
else testScores()

type Scored = {
  readonly object_name: string
  readonly checks: readonly {
    readonly check: { readonly id: string }
    readonly grade: number
    readonly skipped: boolean
    readonly comments: readonly { readonly path: string; readonly summary: string }[] | null
  }[]
}

type Accepted = {
  readonly check: string
  readonly of: RegExp
  readonly because: string
  /** The variant that asks for it; all of them if not given. */
  readonly in?: string
}

/** What kube-score finds and is meant to be so, with the reason. A finding that is not listed here is an error. */
const accepted: readonly Accepted[] = [
  {
    check: 'container-resources',
    of: /CPU limit is not set$/,
    because: 'a CPU limit stops every order of a task for the rest of a period, also where the node is idle'
  },
  {
    check: 'container-image-pull-policy',
    of: /ImagePullPolicy is not set to Always$/,
    because: 'an image that was loaded into the node (kind) cannot be pulled; a digest in the values pins it instead'
  },
  {
    check: 'container-security-context-user-group-id',
    of: /-(kafka|registry) /,
    because: 'the official images of Kafka and Apicurio keep their files for the users 1000 and 1001'
  },
  {
    check: 'container-security-context-user-group-id',
    of: /running with a low (user|group) ID$|is running with a low user ID$/,
    because: 'OpenShift gives each namespace a range of users of its own',
    in: 'users that OpenShift chooses'
  },
  {
    check: 'service-type',
    of: /is of type NodePort$/,
    because: 'somebody asks for it',
    in: 'node port'
  },
  {
    check: 'deployment-replicas',
    of: /Deployment few replicas$/,
    because: 'by default it is for one node; the registry for development has one replica in any case'
  },
  {
    check: 'deployment-has-host-podantiaffinity',
    of: /./,
    because: 'topologySpreadConstraints keep the pods apart, over zones as well as over nodes'
  }
]

/** Full marks, as kube-score counts. */
const allOk = 10

const findings = async (values: Values): Promise<readonly { readonly check: string; readonly text: string }[]> => {
  const args = ['score', '--kubernetes-version', 'v1.32', '--output-format', 'json', '-']
  const { out } = await fed('kube-score', args, await rendered(values))
  return (JSON.parse(out) as Scored[]).flatMap(({ object_name: name, checks }) =>
    checks
      .filter(({ grade, skipped }) => !skipped && grade < allOk)
      .flatMap(({ check, comments }) =>
        (comments ?? []).map(({ path, summary }) => ({ check: check.id, text: `${name} ${path} ${summary}` }))
      )
  )
}

function testScores(): void {
  for (const [name, values] of Object.entries(variants))
    if (name !== 'nothing that may be left out')
      test(`kube-score finds nothing but what is meant to be so: ${name}`, async (t) => {
        const found = await findings(values)
        const here = accepted.filter((it) => it.in === undefined || it.in === name)
        const unknown = found.filter(({ check, text }) => !here.some((it) => it.check === check && it.of.test(text)))
        t.deepEqual(
          unknown.map(({ check, text }) => `${check}: ${text}`),
          []
        )
      })

  test('nothing is accepted that kube-score does not find', async (t) => {
    const special = accepted.flatMap((it) => it.in ?? [])
    const asked = ['all by default', 'everything replicated', ...special].map((name) => findings(variants[name]!))
    const found = (await Promise.all(asked)).flat()
    const idle = accepted.filter((it) => !found.some(({ check, text }) => it.check === check && it.of.test(text)))
    t.deepEqual(
      idle.map(({ because }) => because),
      []
    )
  })

  test('where several nodes are to share the work, every role has enough replicas', async (t) => {
    const found = await findings(variants['everything replicated']!)
    t.deepEqual([...new Set(found.map(({ check }) => check))].toSorted(), [
      'container-image-pull-policy',
      'container-resources',
      'deployment-has-host-podantiaffinity'
    ])
  })
}
