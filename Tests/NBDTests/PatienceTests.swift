import Blocks
import Testing

@testable import NBD

@Suite struct PatienceTests {
    /// A client whose turns take so long, depending on whether the server looks or sleeps.
    final class Client {
        var (now, asleep, looking) = (0, 50_000, 20_000)
        var (turnsLooking, turnsAsleep) = (0, 0)

        func take(_ turns: Int, _ patience: inout Patience, requests: Int = 1, othersInFlight: Bool = false) {
            for _ in 0..<turns {
                patience.note(requests, othersInFlight: othersInFlight)
                now += patience.isLooking ? looking : asleep
                if patience.isLooking { turnsLooking += 1 } else { turnsAsleep += 1 }
            }
        }
    }
    private func patience(_ client: Client) -> Patience { Patience(mayPay: true) { client.now } }

    @Test("looking is kept where it is faster, and compared with sleeping every so often")
    func pays() {
        let client = Client()
        var patience = patience(client)
        client.take(100_000, &patience)
        #expect(client.turnsLooking > 98_000)
        #expect(client.turnsAsleep > 300)
    }

    @Test("where it is not faster, trials grow rare")
    func doesNotPay() {
        let client = Client()
        client.looking = 49_000
        var patience = patience(client)
        client.take(400_000, &patience)
        #expect(client.turnsLooking < 128 * 40, "\(client.turnsLooking)")
        #expect(client.turnsLooking >= 128 * 8, "it goes on trying")
    }

    @Test("looking ends when it becomes slower than sleeping was, and begins again when it is faster again")
    func changes() {
        let client = Client()
        var patience = patience(client)
        client.take(1000, &patience)
        client.looking = 60_000
        let before = client.turnsLooking
        client.take(10_000, &patience)
        #expect(client.turnsLooking - before < 128 * 10, "one stretch to notice, then trials")
        client.looking = 20_000
        client.take(128 * 300, &patience)
        let isLooking = patience.isLooking
        #expect(isLooking)
    }

    @Test("a client that asks many things at once, or slowly, is never looked for", arguments: [true, false])
    func neverFor(isDeep: Bool) {
        let client = Client()
        if !isDeep { client.asleep = 300_000 }
        var patience = patience(client)
        client.take(10_000, &patience, requests: isDeep ? 8 : 1)
        client.take(10_000, &patience, othersInFlight: isDeep)
        #expect(client.turnsLooking == 0)
    }

    @Test("one wait looks for a bounded time only, and sleeping looks not at all")
    func bounded() {
        let client = Client()
        var patience = patience(client)
        patience.begin()
        let atOnce = patience.looksAgain()
        #expect(!atOnce)
        client.take(1000, &patience)
        patience.begin()
        let looks = patience.looksAgain()
        #expect(looks)
        client.now += 60_000
        let stillLooks = patience.looksAgain()
        #expect(!stillLooks)
    }

    @Test("with one processor it never looks")
    func alone() {
        let client = Client()
        var patience = Patience(mayPay: false) { client.now }
        client.take(10_000, &patience)
        #expect(client.turnsLooking == 0)
    }
}
