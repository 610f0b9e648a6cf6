internal import ArgumentParser
internal import AsyncHTTPClient
internal import Gateway

@main struct Varve: AsyncParsableCommand {
    mutating func run() async throws {}
}
