//! How much was looked at, which a test holds to a multiple of what came in.

#[cfg(test)]
thread_local! {
    static VISITED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// So many characters or matches were looked at.
pub(super) fn visited(_number: usize) {
    #[cfg(test)]
    VISITED.with(|visited| visited.set(visited.get() + _number));
}

/// How many since this was asked last.
#[cfg(test)]
pub(super) fn since_last() -> usize {
    VISITED.with(|visited| visited.replace(0))
}
