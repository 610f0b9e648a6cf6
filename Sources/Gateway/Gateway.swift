internal import Console
public import ControlPlane
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
public import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// The HTTP port: authentication, dispatch, request log, health and metrics.
///
/// ```
/// GET /healthz /readyz /metrics         for anyone
/// GET /api/v1/openapi.json              for anyone
/// /api/v1/...                           the native API, signed with AWS Signature Version 4, service `varve`
/// /                                     Amazon's query protocols, likewise, services `ec2` and `sts`; `ec2` also with
///                                       Signature Version 2, for the first region; and Alibaba's RPC API of ECS,
///                                       signed in either of its ways
/// ```
public struct Gateway: Sendable {
    /// Where to listen.
    public struct Address: Sendable, Equatable {
        /// A host name or an address.
        public var host: String
        /// 0 lets the system choose.
        public var port: Int

        /// Makes one.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private let address: Address
    private let connectionsMax: Int
    private let door: Door
    private let logger: Logger

    /// Makes a gateway that listens nowhere yet.
    ///
    /// - Parameters:
    ///   - connectionsMax: how many may be open at a time; others wait to be taken.
    ///   - takesSigV2: may requests to EC2 be signed with Signature Version 2, as old clients do?
    public init(house: House, address: Address, connectionsMax: Int, takesSigV2: Bool = true, logger: Logger) {
        self.address = address
        self.connectionsMax = connectionsMax
        self.logger = logger
        door = Door(house: house, takesSigV2: takesSigV2, logger: logger)
    }

    /// How long a connection may wait for a whole head of a request, or for more of its body.
    private static let idleTimeout = TimeAmount.seconds(30)

    /// Serves until SIGTERM or SIGINT, then finishes what is in flight, for at most ten seconds.
    ///
    /// - Parameter onReady: called once with the port, when requests are taken.
    /// - Throws: when the address cannot be listened on.
    public func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: door,
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(connectionsMax)),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) },
            logger: quiet)
        var plan = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        plan.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: plan).run()
    }
}
