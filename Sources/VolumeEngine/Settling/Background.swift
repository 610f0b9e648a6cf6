internal import Blocks

/// A volume's own background threads: one that settles, one that hydrates, each while there is something to do.
struct Background: Sendable {
    var isSettling = false
    var mustSettleAgain = false
    var isHydrating = false
    var mustHydrateAgain = false
    var mustStop = false
    var problem: String?
}

extension Volume {
    /// Starts what there is to do in the background, if the environment wants that.
    func startBackgroundWork() {
        guard environment.runsBackgroundWork else { return }
        let (mustSettle, mustHydrate) = background.withLock { state -> (Bool, Bool) in
            if state.mustStop { return (false, false) }
            let settle = !state.isSettling
            let hydrate = !state.isHydrating && environment.hydrates
            state.mustSettleAgain = true
            state.mustHydrateAgain = true
            state.isSettling = true
            if hydrate { state.isHydrating = true }
            return (settle, hydrate)
        }
        // Not in the idle class: these threads hold stripe locks and tickets for moments, and a writer that waits for
        // one must not wait for a moment when every core is idle.
        if mustSettle { _ = OSThread(name: "settle") { self.settleInBackground() } }
        if mustHydrate { _ = OSThread(name: "hydrate") { self.hydrateInBackground() } }
    }

    /// Stops background threads and waits for them.
    func stopBackgroundWork() {
        background.change { $0.mustStop = true }
        background.wait { $0.isSettling || $0.isHydrating ? nil : () }
    }

    private func settleInBackground() {
        while true {
            let goesOn = background.change { state -> Bool in
                let goesOn = state.mustSettleAgain && !state.mustStop
                state.mustSettleAgain = false
                state.isSettling = goesOn
                return goesOn
            }
            guard goesOn else { return }
            do { try settle() } catch {
                let text = "\(error)"
                background.withLock { $0.problem = text }
                // Nothing is lost: the overlay stays a layer, and the next finished snapshot or a restart tries again.
            }
        }
    }

    /// Goes on until all is here, waiting longer after each failure: a store may be away for hours.
    private func hydrateInBackground() {
        while true {
            let goesOn = background.change { state -> Bool in
                let goesOn = state.mustHydrateAgain && !state.mustStop
                state.mustHydrateAgain = false
                state.isHydrating = goesOn
                return goesOn
            }
            guard goesOn else { return }
            hydrateWithRetries()
        }
    }

    private func hydrateWithRetries() {
        var wait = Duration.milliseconds(200)
        while !background.withLock({ $0.mustStop }), !isFailed {
            do {
                // False: a rollback brings another source, and asks for another run.
                _ = try hydrate()
                return
            } catch {
                let text = "\(error)"
                let hydration = control.withLock { $0.generation.hydration }
                let isDamaged = if case .block(.corrupt, _) = error { true } else { false }
                hydration?.progress.withLock { ($0.problem, $0.isDamaged) = (text, isDamaged) }
                let stopped: Void? = background.wait(atMost: wait) { $0.mustStop ? () : nil }
                if stopped != nil { return }
                wait = min(wait * 2, .seconds(30))
            }
        }
    }
}
