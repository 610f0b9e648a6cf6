internal import ArgumentParser

/// A command that asks a server.
protocol ServerCommand: AsyncParsableCommand {
    /// Which server.
    var server: ServerOptions { get }
    /// Does it.
    func run(_ client: NativeClient) async throws
}

extension ServerCommand {
    /// Opens a client and runs.
    func run() async throws {
        try await NativeClient.with(server) { try await run($0) }
    }
}
