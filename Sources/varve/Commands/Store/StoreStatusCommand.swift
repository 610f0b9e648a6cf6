internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store status`
struct StoreStatusCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what the store holds and whether it answers.",
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
        var facts = Facts()
        facts.add("location", status.location)
        facts.add("repository", status.repositoryId)
        facts.add("answers", status.isReachable ? "yes" : "no: \(status.reason ?? "")")
        facts.add("snapshots", String(status.snapshotCount))
        facts.add("in the trash", String(status.trashCount))
        facts.add("uploading", String(status.uploadCount))
        facts.add("packs", String(status.packCount))
        facts.add("stored", Size(bytes: status.storedBytes).description)
        facts.add("reclaimable", Size(bytes: status.reclaimableBytes).description)
        facts.lines.forEach(Output.line)
    }
}
