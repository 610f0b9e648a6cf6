import Blocks
import Testing

@testable import NBD

@Suite struct LongReadsTests {
    /// A client whose reads of 128 KiB take so long, depending on how they are sent.
    final class Client {
        var (now, cached, copied) = (0, 30_000, 50_000)
        var (readsCached, readsCopied) = (0, 0)

        func take(_ reads: Int, _ choice: inout LongReads, thinking: Int = 0) {
            for _ in 0..<reads {
                if choice.sendsCached { readsCached += 1 } else { readsCopied += 1 }
                now += (choice.sendsCached ? cached : copied) + thinking
                choice.note(131_072)
            }
        }
    }

    @Test(
        "the faster way is kept, and the other tried every so often", arguments: [(30_000, 50_000), (90_000, 50_000)])
    func faster(_ cached: Int, _ copied: Int) {
        let client = Client()
        (client.cached, client.copied) = (cached, copied)
        var choice = LongReads { client.now }
        client.take(100_000, &choice)
        let (more, less) =
            cached < copied
            ? (client.readsCached, client.readsCopied) : (client.readsCopied, client.readsCached)
        #expect(more > 97_000 && less > 500, "\(client.readsCached) \(client.readsCopied)")
    }

    @Test("with little between them, what is cached is sent as it is", arguments: [48_000, 50_000, 52_000])
    func alike(_ cached: Int) {
        let client = Client()
        client.cached = cached
        var choice = LongReads { client.now }
        client.take(100_000, &choice)
        #expect(client.readsCached > 97_000)
    }

    @Test("a change of what is faster is noticed")
    func changes() {
        let client = Client()
        var choice = LongReads { client.now }
        client.take(20_000, &choice)
        client.cached = 100_000
        let before = client.readsCached
        client.take(50_000, &choice)
        #expect(client.readsCached - before < 10_000)
        client.cached = 30_000
        client.take(10_000, &choice)
        #expect(choice.sendsCached)
    }

    @Test("a client that thinks for long between its reads decides nothing")
    func thinks() {
        let client = Client()
        client.cached = 90_000
        var choice = LongReads { client.now }
        client.take(10_000, &choice, thinking: 5_000_000)
        #expect(client.readsCopied == 0)
    }
}
