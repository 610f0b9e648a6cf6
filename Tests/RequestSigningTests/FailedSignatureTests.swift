import Blocks
import RequestSigning
import Testing

@Suite struct FailedSignatureTests {
    private func time(_ seconds: Int64) -> WallTime { WallTime(milliseconds: seconds * 1000) }

    @Test("twenty are answered at once, then each waits twice as long as the one before, two seconds at most")
    func waits() {
        var failures = FailedSignatures()
        for _ in 0..<20 { #expect(failures.note("a", at: time(0)) == .zero) }
        let waits = (0..<8).map { _ in failures.note("a", at: time(1)) }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000, 2000].map { .milliseconds($0) })
        #expect(failures.note("b", at: time(1)) == .zero)
    }

    @Test("a minute forgives twenty, a long pause all, and a clock that goes back none")
    func forgives() {
        var failures = FailedSignatures()
        for _ in 0..<40 { _ = failures.note("a", at: time(100)) }
        #expect(failures.note("a", at: time(50)) == FailedSignatures.waitMax)
        #expect(failures.note("a", at: time(160)) == .milliseconds(200))
        #expect(failures.note("a", at: time(1_000_000)) == .zero)
        for _ in 0..<19 { #expect(failures.note("a", at: time(1_000_000)) == .zero) }
        #expect(failures.note("a", at: time(1_000_000)) == .milliseconds(100))
    }

    @Test("addresses beyond the limit are forgotten, those that failed longest ago first")
    func bounded() {
        var failures = FailedSignatures()
        for number in 0...FailedSignatures.addressesMax {
            for _ in 0..<20 { _ = failures.note("\(number)", at: time(Int64(number))) }
        }
        #expect(failures.addressCount <= FailedSignatures.addressesMax)
        #expect(failures.note("0", at: time(5000)) == .zero)
        let newest = Int64(FailedSignatures.addressesMax)
        #expect(failures.note("\(newest)", at: time(newest)) == .milliseconds(100))
    }
}
