import { isParcomoloError } from '../../../src/base/index.ts'
import { type Contracts, contractSet, readContract } from '../../../src/contract/index.ts'
import { type Finding, findingText, type LoadedDefinition, loadSaga } from '../../../src/saga/index.ts'

/** Two participants with a field of every type, an operation with several replies, and events. */
const shop = `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: shop }
spec:
  inbox: shop-commands
  events: shop-events
  contract: |
    @namespace("test.shop")
    protocol Shop {
      enum Level { LOW, MIDDLE, HIGH }
      enum Urgency { LOW, HIGH }
      record Line { string sku; int quantity; long priceCents; union { null, string } remark = null; }
      record Item { string sku; int quantity; }
      record Place { string city; union { null, string } zip = null; }
      record Started {
        string id; long total; int count; double rate; float share; boolean vip;
        Level level; Urgency urgency; bytes blob;
        array<Line> lines; array<string> tags; array<int> numbers; map<string> labels; map<long> sums; Place home;
        union { null, string } note = null; union { null, Place } place = null; union { null, long } limit = null;
        union { int, string } mixed; union { null, int, string } odd = null;
        union { null, double } ratio = null; null nil;
      }
      void started(Started event) oneway;
      record Stopped { string id; int code; }
      void stopped(Stopped event) oneway;
      record Finished { string id; string note = "none"; }
      void finished(Finished event) oneway;
      record Empty { }
      void empty(Empty event) oneway;

      record Reserve { string id; array<Item> lines; }
      record Reserved { string id; long until; }
      error OutOfStock { string id; array<string> skus; }
      Reserved reserve(Reserve command) throws OutOfStock;
      record Release { string id; }
      record Released { string id; }
      Released release(Release command);

      record Assess { string id; }
      record Approved { string id; int score; string clerk; Place at; array<string> notes; map<long> sums; }
      record Held { string id; int score; long until; Place at; array<string> notes; map<long> sums; }
      union { Approved, Held } assess(Assess command);

      record Ship { string id; string to = "home"; }
      record Shipped { string id; string tracking; }
      Shipped ship(Ship command);
      record Arrived { string id; string tracking; int days; }
      void arrived(Arrived event) oneway;

      record Take {
        int i = 0; long l = 0; float f = 0; double d = 0; boolean b = false; string s = "";
        Level level = "LOW"; Urgency urgency = "LOW"; bytes blob = "";
        array<int> ints = []; array<Item> items = []; array<string> texts = [];
        map<string> labels = {}; map<long> sums = {};
        union { null, string } note = null; union { null, Place } place = null; union { null, long } limit = null;
        union { int, string } mixed = 0; union { null, int, string } odd = null;
        union { null, array<int> } maybe = null;
        union { null, double } ratio = null;
        union { null, Level } grade = null; array<Level> levels = []; array<Graded> graded = [];
      }
      record Graded { Level level; }
      record Taken { string id; }
      Taken take(Take command);
    }
`

const bank = `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: bank }
spec:
  inbox: bank-commands
  events: bank-events
  contract: |
    @namespace("test.bank")
    protocol Bank {
      record Charge { string id; long cents; }
      record Charged { string id; long cents; }
      error Declined { string id; string reason; }
      Charged charge(Charge command) throws Declined;
      record Refund { string id; string reason = ""; }
      record Refunded { string id; }
      Refunded refund(Refund command);
      record Settled { string id; }
      void settled(Settled event) oneway;
    }
`

export const contracts: Contracts = contractSet([
  readContract({ path: 'shop.yaml', text: shop }),
  readContract({ path: 'bank.yaml', text: bank })
])

/** Lines of a text, each with its end. */
export const lines = (...texts: readonly string[]): string => texts.map((line) => `${line}\n`).join('')

/** A whole file from its `spec`, whose first line is line 5 of the file, and is indented by two. */
export const saga = (spec: string, name = 'test'): string =>
  `apiVersion: parcomolo.io/v1alpha1\nkind: Saga\nmetadata: { name: ${name} }\nspec:\n${spec}`

/** A saga of these steps; the first of them stands in line 7. */
export const withSteps = (steps: string, more = ''): string =>
  saga(`  start: { on: Started, key: event.id }\n  steps:\n${steps}${more}`)

export const load = (text: string): LoadedDefinition => loadSaga({ path: 's.yaml', text }, contracts)

/** The messages of all errors, as users see them. */
export const errorsOf = (text: string): string[] => {
  try {
    load(text)
    return []
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) throw error
    return (error.details['errors'] as readonly Finding[]).map(findingText)
  }
}
