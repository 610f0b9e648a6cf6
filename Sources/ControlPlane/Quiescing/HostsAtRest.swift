internal import Blocks
internal import Catalog

/// The hosts of some volumes, asked to keep still for one cut.
///
/// ``bring(_:of:_:)`` asks, the cut is made, ``reached(_:)`` says what that came to, and ``end()`` lets the hosts go on: at once,
/// whatever became of the cut.
struct HostsAtRest: Sendable {
    private let board: QuiesceBoard
    /// The instances that have each volume; `local` among them is a host without an agent.
    private let hosts: [String: [String]]
    private var asked: [String: QuiesceBoard.Asked] = [:]

    /// Asks the hosts of all of them at once, again where it is worth it.
    static func bring(_ quiesce: Quiesce, of volumes: [String], _ house: Household) async throws -> HostsAtRest {
        let hosts = try await house.catalog.change { session in
            try volumes.reduce(into: [String: [String]]()) { found, id in
                found[id] = try session.volumeAttachments(ofVolume: id).map(\.host)
            }
        }
        var rest = HostsAtRest(board: house.quiescing, hosts: hosts)
        for _ in 0..<quiesce.tries {
            let missing = Set(hosts.values.joined()).filter {
                rest.reached(host: $0) < max(quiesce.atLeast, .fileSystem)
            }
            if missing.isEmpty { break }
            // Who kept still for it must not have to wait for the others' next try.
            rest.end()
            rest.asked = await house.quiescing.ask(Set(hosts.values.joined()), for: .seconds(quiesce.seconds))
        }
        return rest
    }

    private init(board: QuiesceBoard, hosts: [String: [String]]) {
        self.board = board
        self.hosts = hosts
    }

    private func reached(host: String) -> Consistency { asked[host].map(board.reached) ?? .crash }

    /// What a cut of a volume that has just been made is sure to be.
    func reached(_ volume: String) -> Consistency { (hosts[volume] ?? []).map(reached(host:)).min() ?? .crash }

    /// Refuses what is less than was wanted, by the first host that did not come to rest.
    func check(_ quiesce: Quiesce) throws {
        for (volume, hosts) in hosts.sorted(by: { $0.key < $1.key }) {
            for host in hosts where reached(host: host) < quiesce.atLeast {
                let why =
                    asked[host] == nil
                    ? "no agent listens there (varve instance quiesce)"
                    : "it came to \(reached(host: host).rawValue) within \(quiesce.seconds) s"
                throw ServiceError(
                    .wrongState, .snapshot,
                    "no snapshot was taken of \(volume): its host \(host) was to come to rest as \(quiesce.atLeast.rawValue), "
                        + "and \(why)")
            }
        }
    }

    /// Lets the hosts go on.
    func end() { for one in asked.values { board.end(one) } }
}
