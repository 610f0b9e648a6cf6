internal import Blocks

/// The pauses between questions to a server about something that takes its time: a twentieth of the time so far, so that the
/// end is noticed soon whatever it is.
struct Pauses {
    private let clock = SystemClock()
    private let began: Duration

    init() { began = clock.uptime() }

    /// Waits until it is time to ask again.
    func next() async throws {
        let pause = min(max((clock.uptime() - began) / 20, .milliseconds(10)), .milliseconds(250))
        try await Task.sleep(for: pause)
    }
}
