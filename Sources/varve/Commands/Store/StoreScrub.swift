internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store scrub`
struct StoreScrub: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "scrub", abstract: "Show how the store is read again bit by bit, or do it now.",
        discussion: """
            Bytes that nobody reads rot unseen, so the server reads all of the store again in the background
            (varve serve --scrub-every). What is damaged is healed from a volume that still has it; a snapshot that stays
            damaged is marked as degraded.

            Example:
              varve store scrub --now
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Flag(help: "Begin at once, as fast as allowed, and wait for the end. Interrupting ends only the waiting.")
    var now = false

    func run(_ client: NativeClient) async throws {
        if now { try await follow(client) }
        let bytes = try await client.callRaw("GET", "/store/scrub")
        if format.output == .json { return Output.json(bytes) }
        let scrub: ScrubView = try NativeClient.read(bytes)
        Self.facts(of: scrub).lines.forEach(Output.line)
        for problem in scrub.lastProblems { Output.note(problem) }
        if now, let degraded = scrub.lastDegraded, degraded > 0 {
            throw CommandFailure.refused(
                "\(degraded == 1 ? "1 snapshot is" : "\(degraded) snapshots are") degraded; see varve store status")
        }
    }

    private func follow(_ client: NativeClient) async throws {
        let before: ScrubView = try await client.call("GET", "/store/scrub")
        _ = try await client.callRaw("POST", "/store/scrub")
        let painter = ProgressPainter("Scrubbing", total: nil)
        defer { painter.finish() }
        while true {
            try await Task.sleep(for: .milliseconds(200))
            let scrub: ScrubView = try await client.call("GET", "/store/scrub")
            if let reason = scrub.reason { throw CommandFailure.refused("the scrub waits: \(reason)") }
            painter.note(share: scrub.progress)
            if !scrub.isRunning, scrub.lastCompletedAt != before.lastCompletedAt { return }
        }
    }

    private static func facts(of scrub: ScrubView) -> Facts {
        var facts = Facts()
        facts.add("period", scrub.everySeconds.map { Period.text($0) } ?? "off: only on request")
        facts.add("now", ScrubText.now(scrub))
        facts.add("last", ScrubText.last(scrub))
        facts.add("next", scrub.nextAt.map(LocalTime.text))
        facts.add("waits", scrub.reason)
        return facts
    }
}

/// How a scrub is told in a line.
enum ScrubText {
    static func now(_ scrub: ScrubView) -> String? {
        guard scrub.isRunning else { return nil }
        let left = scrub.remainingSeconds.map { ", \(Seconds.text(.seconds($0))) left" } ?? ""
        return "running, \(Int(scrub.progress * 100)) % of \(Size(bytes: scrub.bytesToRead ?? 0))\(left)"
    }

    static func last(_ scrub: ScrubView) -> String {
        guard let ended = scrub.lastCompletedAt else { return "never" }
        let (findings, degraded) = (scrub.lastFindings ?? 0, scrub.lastDegraded ?? 0)
        var outcome = findings == 0 ? [] : ["\(findings) damaged frames or packs"]
        if let healed = scrub.lastHealed, healed > 0 { outcome.append("\(healed) frames healed") }
        if degraded > 0 {
            outcome.append(degraded == 1 ? "1 snapshot degraded" : "\(degraded) snapshots degraded")
        } else {
            outcome.append(findings == 0 ? "all well" : "no snapshot lacks anything")
        }
        let read = Size(bytes: scrub.lastBytesRead ?? 0)
        return "\(LocalTime.text(ended)), \(read) read, \(outcome.joined(separator: ", "))"
    }
}

/// Periods as people set them.
enum Period {
    /// `7d`, `12h`, `90s`.
    static func text(_ seconds: Int) -> String {
        for (unit, count) in [("d", 86_400), ("h", 3600), ("m", 60)] where seconds % count == 0 && seconds > 0 {
            return "\(seconds / count)\(unit)"
        }
        return "\(seconds)s"
    }
}
