internal import Blocks
internal import Catalog

/// Runs policies when they are due, and lets go of what they do not keep any more. One for a house, on the house's clock.
///
/// A schedule's next time is in the catalog. When it has come, one transaction records the run and moves the time on, past all
/// times that were missed meanwhile: so a stop at any point neither loses a run nor runs twice, and what was missed is caught
/// up once. Schedules of one policy that are found due together run together.
final class Scheduler: Sendable {
    private struct State {
        var mustPlan = true
        /// The earliest next time of all policies, as of the last plan.
        var nextAt: WallTime?
        var keeping = Looks()
        var copying = Looks()
    }
    /// When to look at which policy.
    private struct Looks {
        var now: Set<String> = []
        var later: [String: WallTime] = [:]

        mutating func take(at time: WallTime) -> [String] {
            let due = now.union(later.filter { $0.value <= time }.keys)
            now = []
            for policy in due { later[policy] = nil }
            return due.sorted()
        }
    }
    private let state = Guarded(State())
    private let runs = Rounds()
    /// Apart: a copy may have to ask another region's store, which no run is to wait for.
    private let copies = Rounds()
    private static let pauseAfterFailure = Duration.seconds(10)

    /// Begins, and looks at every policy once.
    func open(_ house: Household) async throws {
        // Also those that are paused or gone and may have something to let go.
        let policies = try await house.catalog.change { try $0.policies().map(\.id) + $0.policiesWithDoomedImages() }
        for policy in policies { look(at: policy) }
        runs.open { [self] in await turn(house) }
        copies.open { [self] in await copyTurn(house) }
    }

    /// Ends after the turns at hand.
    func close() async {
        await runs.close()
        await copies.close()
    }

    /// Policies were changed.
    func plan() { state.change { $0.mustPlan = true } }
    /// Something of a policy was completed, or its retention was changed: there may be something to copy or to let go of.
    func look(at policy: String) {
        state.change {
            $0.keeping.now.insert(policy)
            $0.copying.now.insert(policy)
        }
    }

    /// Does what is to be done now; turns run one after another. Nobody who holds another lane waits for this one.
    func turn(_ house: Household) async { try? await house.lanes.run(Self.lane) { await work(house) } }
    /// Begins the copies that are owed now.
    func copyTurn(_ house: Household) async { try? await house.lanes.run(Self.copyLane) { await copy(house) } }
    private static let lane = "policies"
    static let copyLane = "policy copies"

    private func work(_ house: Household) async {
        let now = house.clock.now()
        let (isDue, policies) = state.withLock { state in
            let isDue = state.mustPlan || state.nextAt.map { $0 <= now } ?? false
            state.mustPlan = false
            return (isDue, state.keeping.take(at: now))
        }
        if isDue { await begin(at: now, house) }
        for policy in policies {
            let tended = await Self.again(at: now) { try await TendTaken(house: house).run(policy) }
            let kept = await Self.again(at: now) { try await LetGo(house: house).run(policy) }
            let again = [tended, kept].compactMap { $0 }.min()
            state.withLock { $0.keeping.later[policy] = again }
        }
    }

    private func copy(_ house: Household) async {
        let now = house.clock.now()
        for policy in state.withLock({ $0.copying.take(at: now) }) {
            let taken = await Self.again(at: now) { try await CopyTaken(house: house).run(policy) }
            let made = await Self.again(at: now) { try await CopyMadeImages(house: house).run(policy) }
            let again = [taken, made].compactMap { $0 }.min()
            state.withLock { state in
                state.copying.later[policy] = again
                // What is copied may go.
                state.keeping.now.insert(policy)
            }
        }
    }

    private static func again(at now: WallTime, _ body: () async throws -> WallTime?) async -> WallTime? {
        do { return try await body() } catch { return now + pauseAfterFailure }
    }

    private func begin(at now: WallTime, _ house: Household) async {
        do {
            let (runs, next) = try await house.catalog.change { session in
                (try Self.due(at: now, house, session), try session.nextPolicyTime())
            }
            state.withLock { $0.nextAt = next }
            Failpoint.hit("policy.planned")
            await withTaskGroup(of: Void.self) { group in
                for (run, isPatient) in runs {
                    if isPatient {
                        RunPolicy(house: house).runAside(run)
                    } else {
                        group.addTask { await RunPolicy(house: house).run(run) }
                    }
                }
            }
        } catch {
            state.withLock { $0.nextAt = now + Self.pauseAfterFailure }
        }
    }

    /// The runs that are due, each recorded, and whether it is one that waits for hosts to come to rest.
    private static func due(
        at now: WallTime, _ house: Household, _ session: CatalogSession
    ) throws -> [(TaskRecord, isPatient: Bool)] {
        var runs: [(TaskRecord, isPatient: Bool)] = []
        for (id, due) in Dictionary(grouping: try session.schedules(dueAt: now), by: \.policyID) {
            guard let policy = try session.policy(id) else { continue }
            guard let plan = PolicyPlan.readable(policy.plan) else {
                // It stops no other.
                try session.setProblem(PolicyPlan.unreadable, ofPolicy: id)
                for var schedule in due {
                    schedule.nextAt = now + .seconds(3600)
                    try session.put(schedule)
                }
                continue
            }
            for var schedule in due {
                schedule.lastAt = schedule.nextAt
                schedule.nextAt = plan.schedules.first { $0.name == schedule.name }?.when.next(after: now)
                try session.put(schedule)
            }
            let time = due.compactMap(\.nextAt).max() ?? now
            let order = RunPolicy.Order(due: time.milliseconds, schedules: due.map(\.name))
            let task = try RunPolicy.task(order, of: policy, house)
            try session.insert(task)
            let isPatient = plan.schedules.contains { order.schedules.contains($0.name) && $0.quiesce != nil }
            runs.append((task, isPatient))
        }
        return runs
    }
}
