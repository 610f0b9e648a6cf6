internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store reclaim`
struct StoreReclaim: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "reclaim", abstract: "Free what no snapshot needs any more.",
        discussion: """
            Safe beside running uploads. What was deleted less than the grace period ago stays.

            Example:
              varve store reclaim --grace 0s
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: ArgumentHelp("How long unneeded data stay: 0s, 12h, 7d (one day).", valueName: "time"))
    var grace: String?

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let grace {
            guard let span = Seconds.span(grace) else {
                throw CommandFailure.usage("'\(grace)' is not a time; write 0s, 90s, 5m, 12h or 7d")
            }
            fields["graceSeconds"] = .number(Int(span.components.seconds))
        }
        let bytes = try await client.callRaw("POST", "/store/reclaim", fields)
        if format.output == .json { return Output.json(bytes) }
        let report: ReclaimReport = try NativeClient.read(bytes)
        Output.note(
            "freed \(Size(bytes: report.freedBytes)) in \(report.freedPacks) packs and "
                + "\(report.expiredSnapshots) deleted snapshots; \(report.waitingPacks) packs wait for their grace period"
        )
        if let reason = report.reason { Output.note(reason) }
    }
}
