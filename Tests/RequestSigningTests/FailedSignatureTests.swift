import RequestSigning
import Testing

@Suite struct FailedSignatureTests {
    /// Notes one, and lets it wait.
    private static func wait(
        _ failures: inout FailedSignatures, _ sender: String, at seconds: Int
    ) -> FailedSignatures.Verdict {
        let verdict = failures.note(sender, at: .seconds(seconds))
        if case .after = verdict { failures.release(sender) }
        return verdict
    }

    @Test("twenty are answered at once, then each waits twice as long as the one before, two seconds at most")
    func waits() {
        var failures = FailedSignatures()
        for _ in 0..<20 { #expect(Self.wait(&failures, "a", at: 0) == .now) }
        let waits = (0..<8).map { _ in Self.wait(&failures, "a", at: 1) }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000, 2000].map { .after(.milliseconds($0)) })
        #expect(Self.wait(&failures, "b", at: 1) == .now)
    }

    @Test("a minute forgives twenty, however many there were, and a long pause all")
    func forgives() {
        var failures = FailedSignatures()
        for _ in 0..<10_000 { _ = Self.wait(&failures, "a", at: 100) }
        #expect(Self.wait(&failures, "a", at: 159) == .after(FailedSignatures.waitMax))
        // Of 26 that are counted at most, 6 are left.
        for _ in 0..<14 { #expect(Self.wait(&failures, "a", at: 160) == .now) }
        #expect(Self.wait(&failures, "a", at: 160) == .after(.milliseconds(100)))
        for _ in 0..<20 { #expect(Self.wait(&failures, "a", at: 1_000_000_000) == .now) }
        #expect(Self.wait(&failures, "a", at: 1_000_000_000) == .after(.milliseconds(100)))
    }

    @Test("eight answers to one sender wait at once, and one more when one of them has; 256 to all")
    func held() {
        var failures = FailedSignatures()
        func count(_ sender: String, of number: Int) -> (waiting: Int, refused: Int) {
            let verdicts = (0..<number).map { _ in failures.note(sender, at: .zero) }
            return (verdicts.count { if case .after = $0 { true } else { false } }, verdicts.count { $0 == .refused })
        }
        #expect(count("a", of: 30) == (8, 2))
        failures.release("a")
        #expect(count("a", of: 2) == (1, 1))
        for number in 0..<31 { #expect(count("\(number)", of: 28) == (8, 0)) }
        #expect(count("b", of: 25) == (0, 5))
        for _ in 0..<8 { failures.release("a") }
        #expect(count("b", of: 9) == (8, 1))
        failures.release("nobody")
        #expect(count("c", of: 21) == (0, 1))
    }

    @Test("senders beyond the limit are forgotten, those that failed longest ago first")
    func bounded() {
        var failures = FailedSignatures()
        for number in 0...FailedSignatures.sendersMax {
            for _ in 0..<20 { _ = failures.note("\(number)", at: .seconds(number)) }
        }
        #expect(failures.senderCount <= FailedSignatures.sendersMax)
        #expect(failures.note("0", at: .seconds(5000)) == .now)
        let newest = FailedSignatures.sendersMax
        #expect(failures.note("\(newest)", at: .seconds(newest)) == .after(.milliseconds(100)))
    }

    @Test(
        "an IPv4 address is a sender, of an IPv6 address its first half",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("", ""), ("::1", "0:0:0:0::/64"),
            ("2001:db8::1", "2001:db8:0:0::/64"), ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
            ("2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"), ("fe80::1:2%eth0", "fe80:0:0:0::/64"), ("::", "0:0:0:0::/64"),
        ])
    func senders(_ address: String, _ sender: String) {
        #expect(FailedSignatures.sender(at: address) == sender)
    }
}
