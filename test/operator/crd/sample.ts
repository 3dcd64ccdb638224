import { parse } from 'yaml'
import type { Map } from './corpus.ts'

/** A saga with every key of the language, on the contracts of test/saga/load/fixture.ts. */
export const sample = (): Map =>
  parse(`
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: sample, labels: { team: shop } }
spec:
  start:
    on: Started
    key: event.id
    compensate: { command: Release, with: { id: start.id }, timeout: 5s, retry: { attempts: 3 }, onRejection: park }
  cancel: { on: Stopped, key: event.id }
  deadline: 1h
  steps:
    - name: reserve
      command: Reserve
      with: { id: start.id, lines: [{ sku: "'book'", quantity: 1 }] }
      when: start.vip
      timeout: 1.5s
      retry: { attempts: 5, backoff: 200ms, factor: 2, cap: 10s, jitter: 0.2 }
      onUnknown: compensate
      onRejection: compensate
      compensate:
        command: shop.Release
        with: { id: start.id }
        timeout: 5s
        retry: { attempts: 50, backoff: 1s, factor: 1.5, cap: 1m, jitter: 0 }
    - parallel:
        - name: assess
          command: Assess
          with: { id: start.id }
          compensate: none
          pivot: false
        - steps:
            - name: send
              command: Ship
              with: { id: start.id, to: "'home'" }
              until: Arrived
              compensate: none
            - parallel:
                - { name: left, command: Ship, with: { id: start.id }, compensate: none }
                - { steps: [{ name: right, command: Ship, with: { id: start.id }, compensate: none }] }
        - parallel:
            - { name: deep, command: Ship, with: { id: start.id }, compensate: none }
    - name: charge
      command: Charge
      pivot: true
      onUnknown: park
      with: { id: start.id, cents: start.total }
    - name: take
      command: Take
      with:
        { i: 5, d: 1.5, b: true, note: null, s: "'x'", labels: { a: start.id }, items: [{ sku: "'a'", quantity: 2 }] }
  complete: { emit: Finished, with: { id: start.id } }
  abort: { emit: Empty }
`) as Map
