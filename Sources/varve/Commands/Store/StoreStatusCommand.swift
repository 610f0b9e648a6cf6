internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store status`
struct StoreStatusCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the store is: what it holds, what waits, what to do.",
        discussion: """
            Example:
              varve store status --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/store")
        if format.output == .json { return Output.json(bytes) }
        let status: StoreStatus = try NativeClient.read(bytes)
        Self.facts(of: status).lines.forEach(Output.line)
        Output.line("")
        for sentence in status.advice {
            for (index, line) in Paragraph.lines(sentence, width: 96).enumerated() {
                Output.line((index == 0 ? "* " : "  ") + line)
            }
        }
    }

    private static func facts(of status: StoreStatus) -> Facts {
        var facts = Facts()
        facts.add("location", status.location)
        facts.add("repository", status.repositoryId)
        facts.add("answers", status.isReachable ? "yes" : "no: \(status.reason ?? "")")
        if status.isReachable {
            let content = Size(bytes: status.logicalBytes), trash = status.trashCount
            facts.add(
                "snapshots",
                "\(status.snapshotCount), with \(content) of content" + (trash > 0 ? "; \(trash) in the trash" : ""))
            facts.add("stored", "\(Size(bytes: status.storedBytes)) in \(status.packCount) packs")
            facts.add("freed by reclaim", "up to \(Size(bytes: status.reclaimableBytes))")
        }
        facts.add("pending", pending(status.pending))
        for snapshot in status.pending.prefix(shown) where snapshot.reason != nil {
            facts.add("  \(snapshot.id)", "waits: \(snapshot.reason ?? "")")
        }
        facts.add("degraded", status.degraded.isEmpty ? "none" : "\(status.degraded.count)")
        for snapshot in status.degraded.prefix(shown) {
            facts.add("  \(snapshot.id)", "\(Size(bytes: snapshot.bytes)) cannot be read (of \(snapshot.volumeId))")
        }
        if let scrub = status.scrub {
            facts.add("last scrub", ScrubText.last(scrub))
            facts.add("scrub now", ScrubText.now(scrub))
            facts.add("scrub waits", scrub.reason)
            facts.add("next scrub", scrub.nextAt.map(LocalTime.text) ?? (scrub.isRunning ? nil : "on request"))
        }
        return facts
    }

    /// How many of a kind are listed.
    private static let shown = 10

    private static func pending(_ pending: [StoreStatus.Pending]) -> String {
        guard let oldest = pending.first else { return "none" }
        let waiting = pending.count { $0.reason != nil }
        return "\(pending.count), of which \(waiting) wait; the oldest of \(LocalTime.text(oldest.createdAt))"
    }
}

/// Text broken into lines.
enum Paragraph {
    static func lines(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
