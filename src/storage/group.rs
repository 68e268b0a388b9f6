//! Callers who ask the same at the same moment, answered by one statement for all of them.
//!
//! SQLite has one writer, and each statement costs it a change of threads, a commit and some checksums,
//! whether it touches one row or fifty. While one statement runs, those who come wait together for the
//! next; who comes alone waits for nobody.

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Result, error::Cause};

/// How many are answered at a time.
const LARGEST: usize = 64;

type Asker<A> = oneshot::Sender<Result<A>>;

/// The way to ask. Cheap to clone; every clone asks at the same place.
#[derive(Clone, Debug)]
pub(super) struct Group<Q, A>(mpsc::UnboundedSender<(Q, Asker<A>)>);

impl<Q, A> Group<Q, A>
where
    Q: Send + 'static,
    A: Send + 'static,
{
    /// A place where `answer` is asked: as many answers as questions, in their order.
    pub(super) fn asking<F>(answer: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send + 'static,
    {
        let (sender, waiting) = mpsc::unbounded_channel();
        spawn(attend(waiting, answer));
        Self(sender)
    }

    /// Ask, together with whoever else does.
    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let (asker, answer) = oneshot::channel();
        self.0.send((question, asker)).map_err(|_| Cause::Unattended)?;
        answer.await.map_err(|_| Cause::Unattended)?
    }
}

/// Answer in groups, until nobody can come any more.
async fn attend<Q, A, F>(
    mut waiting: mpsc::UnboundedReceiver<(Q, Asker<A>)>,
    answer: impl Fn(Vec<Q>) -> F,
) where
    A: Send + 'static,
    F: Future<Output = Result<Vec<A>>> + Send + 'static,
{
    let mut group = Vec::with_capacity(LARGEST);
    while waiting.recv_many(&mut group, LARGEST).await > 0 {
        let (questions, askers): (Vec<Q>, Vec<Asker<A>>) = group.drain(..).unzip();
        // Whoever hung up has no need to know.
        // A task of its own: if it panics, the next group is answered all the same.
        let answers = spawn(answer(questions)).await;
        match answers.unwrap_or_else(|_| Err(Cause::Unattended.into())) {
            Ok(answers) => {
                for (asker, answer) in askers.into_iter().zip(answers) {
                    let _ = asker.send(Ok(answer));
                }
            }
            Err(why) => {
                for asker in askers {
                    let _ = asker.send(Err(why.clone()));
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends with the last clone of the group")]
fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::{sync::Semaphore, task::JoinSet};

    use super::*;

    #[tokio::test]
    async fn those_who_come_while_others_are_answered_are_answered_together() {
        let gate = Arc::new(Semaphore::new(0));
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let (open, seen) = (gate.clone(), sizes.clone());
        let group = Group::asking(move |questions: Vec<u32>| {
            let (gate, sizes) = (gate.clone(), sizes.clone());
            async move {
                sizes.lock().unwrap().push(questions.len());
                gate.acquire().await.unwrap().forget();
                Ok(questions.into_iter().map(|question| question * 2).collect())
            }
        });

        let mut askers = JoinSet::new();
        let ask = |number| {
            let group = group.clone();
            async move { group.ask(number).await.unwrap() == number * 2 }
        };
        askers.spawn(ask(0));
        while seen.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        for number in 1..10 {
            askers.spawn(ask(number));
        }
        // Each of them asks as soon as it runs.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        open.add_permits(2);
        assert!(askers.join_all().await.into_iter().all(|right| right));
        assert_eq!(*seen.lock().unwrap(), [1, 9]);
    }

    #[tokio::test]
    async fn a_group_that_panics_is_not_the_last() {
        let group = Group::asking(|questions: Vec<u32>| async move {
            assert_ne!(questions, [0]);
            Ok(questions)
        });
        assert!(group.ask(0).await.is_err());
        assert_eq!(group.ask(1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn everybody_in_a_group_learns_why_it_failed() {
        let group: Group<(), ()> = Group::asking(|_| async { Err(Cause::NotDurable.into()) });
        assert!(group.ask(()).await.unwrap_err().to_string().contains("disk"));
        assert!(group.ask(()).await.unwrap_err().to_string().contains("disk"));
    }
}
