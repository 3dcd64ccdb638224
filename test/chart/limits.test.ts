/** Whether what a pod may take fits into what it is given. */
import test from 'ava'
import { parseDuration } from '../../src/base/index.ts'
import { hasHelm } from './helm.ts'
import { environment, podOf, podsIn, render, roles } from './parts.ts'

if (!hasHelm) test.skip('what fits into the limits of a pod: there is no helm in PATH', () => undefined)
else testLimits()

const units: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }
const mebibyte = 2 ** 20

/** A quantity as Kubernetes has it. */
const bytes = (quantity: string): number => {
  const [, number = '', unit = ''] = /^(\d+)(Ki|Mi|Gi)$/.exec(quantity) ?? []
  return Number(number) * units[unit]!
}

/** Code, stacks and connections of a process: 44 to 47 MB of Node at rest, and some of our own. */
const processBytes = 64 * mebibyte
/** The share of the limit that a process holds in buffers at most: what it has read ahead, batches, slices. */
const buffersShare = 1 / 8
/** V8 keeps two halves of the young generation, and copies into a third. */
const semiSpaces = 3

/** A write waits so long for its answer. */
const answerMsMax = 10_000

const option = (options: string, name: string): number =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(options)![1]) * mebibyte

function testLimits(): void {
  for (const role of roles)
    test(`heap, buffers and the process itself fit into the memory limit: ${role}`, async (t) => {
      const resources = await render({})
      const limit = bytes(podOf(resources, role).containers[0]!.resources.limits['memory']!)
      const options = environment(resources, role)['NODE_OPTIONS']!
      const heap = option(options, 'max-old-space-size') + semiSpaces * option(options, 'max-semi-space-size')
      const needed = heap + processBytes + limit * buffersShare
      t.true(needed <= limit, `${needed / mebibyte} of ${limit / mebibyte} MiB`)
    })

  test('a view has time to answer what it has begun after the pause before its stop', async (t) => {
    const resources = await render({})
    const pauseMs = parseDuration(environment(resources, 'view')['PARCOMOLO_STOP_DELAY']!)!
    const graceMs = podOf(resources, 'view').terminationGracePeriodSeconds * 1000
    t.true(pauseMs > 0)
    t.true(graceMs >= pauseMs + answerMsMax, `${graceMs} ms`)
  })

  test("all volumes in a pod's own storage, full, fit into its limit", async (t) => {
    for (const { volumes = [], containers } of podsIn(await render({}))) {
      const sizes = volumes.flatMap(({ emptyDir }) => emptyDir?.sizeLimit ?? [])
      const limit = bytes(containers[0]!.resources.limits['ephemeral-storage']!)
      const used = sizes.reduce((sum, size) => sum + bytes(size), 0)
      t.true(used < limit, `${containers[0]!.image}: ${used / mebibyte} of ${limit / mebibyte} MiB`)
    }
  })
}
