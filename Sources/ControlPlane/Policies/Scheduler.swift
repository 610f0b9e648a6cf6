internal import Blocks
internal import Catalog

/// Runs policies when they are due, and lets go of what they do not keep any more. One for a house, on the house's clock.
///
/// A schedule's next time is in the catalog. When it has come, one transaction records the run and moves the time on, past all
/// times that were missed meanwhile: so a stop at any point neither loses a run nor runs twice, and what was missed is caught
/// up once. Schedules of one policy that are found due together run together.
final class Scheduler: Sendable {
    private struct State {
        var loop: Task<Void, Never>?
        var mustPlan = true
        /// The earliest next time of all policies, as of the last plan.
        var nextAt: WallTime?
        /// When to look at what a policy keeps.
        var lookAt: [String: WallTime] = [:]
        var owed: Set<String> = []
    }
    private let state = Guarded(State())
    private static let pauseMax = Duration.milliseconds(500)
    private static let pauseAfterFailure = Duration.seconds(10)

    /// Begins, and looks at every policy once.
    func open(_ house: Household) {
        let loop = Task { [self] in
            for policy in (try? await house.catalog.change { try $0.enabledPolicies() }) ?? [] { letGo(of: policy.id) }
            while !Task.isCancelled {
                await turn(house)
                // Half a second bounds how late it is.
                try? await Task.sleep(for: Self.pauseMax)
            }
        }
        state.withLock { $0.loop = loop }
    }

    /// Ends after the turn at hand.
    func close() async {
        let loop = state.withLock { $0.loop }
        loop?.cancel()
        await loop?.value
    }

    /// Policies were changed.
    func plan() { state.change { $0.mustPlan = true } }
    /// Something of a policy was completed, or its retention was changed.
    func letGo(of policy: String) { state.change { _ = $0.owed.insert(policy) } }

    /// Does what is to be done now; turns run one after another. Nobody who holds another lane waits for this one.
    func turn(_ house: Household) async { try? await house.lanes.run(Self.lane) { await work(house) } }
    private static let lane = "policies"

    private func work(_ house: Household) async {
        let now = house.clock.now()
        let (isDue, owed) = state.withLock { state in
            let isDue = state.mustPlan || state.nextAt.map { $0 <= now } ?? false
            state.mustPlan = false
            let owed = state.owed.union(state.lookAt.filter { $0.value <= now }.keys)
            state.owed = []
            for policy in owed { state.lookAt[policy] = nil }
            return (isDue, owed)
        }
        if isDue { await begin(at: now, house) }
        for policy in owed.sorted() {
            do {
                let again = try await LetGo(house: house).run(policy)
                state.withLock { $0.lookAt[policy] = again }
            } catch {
                state.withLock { $0.lookAt[policy] = now + Self.pauseAfterFailure }
            }
        }
    }

    private func begin(at now: WallTime, _ house: Household) async {
        do {
            let (runs, next) = try await house.catalog.change { session in
                (try Self.due(at: now, house, session), try session.nextPolicyTime())
            }
            state.withLock { $0.nextAt = next }
            Failpoint.hit("policy.planned")
            await withTaskGroup(of: Void.self) { group in
                for run in runs { group.addTask { await RunPolicy(house: house).run(run) } }
            }
        } catch {
            state.withLock { $0.nextAt = now + Self.pauseAfterFailure }
        }
    }

    private static func due(
        at now: WallTime, _ house: Household, _ session: CatalogSession
    ) throws -> [TaskRecord] {
        var runs: [TaskRecord] = []
        for (id, due) in Dictionary(grouping: try session.schedules(dueAt: now), by: \.policyID) {
            guard let policy = try session.policy(id) else { continue }
            guard let plan = try? PolicyPlan(text: policy.plan) else {
                // One that cannot be read, as of a newer version, stops no other.
                try session.setProblem("its plan cannot be read by this version", ofPolicy: id)
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
            runs.append(task)
        }
        return runs
    }
}
