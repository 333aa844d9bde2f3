using System.Collections.Concurrent;

namespace Sora.Training.Distributed;

/// <summary>
/// The thread that calls MPI. Open MPI moves a message on only inside its calls, so sums that run beside the backward pass
/// need a thread that waits in them.
/// </summary>
internal sealed class MpiThread : IDisposable
{
    private readonly BlockingCollection<Task> _work = [];

    public MpiThread()
    {
        // A background thread: where this process fails, nothing waits for a sum that never ends.
        var thread = new Thread(() =>
        {
            foreach (Task task in _work.GetConsumingEnumerable())
                task.RunSynchronously(TaskScheduler.Default);
        })
        { IsBackground = true, Name = "MPI" };
        thread.Start();
    }

    /// <summary>Lets the thread do something when it has done what was given before.</summary>
    public Task Post(Action action)
    {
        var task = new Task(action);
        _work.Add(task);
        return task;
    }

    /// <summary>Waits until the thread has done something.</summary>
    public void Run(Action action) => Post(action).GetAwaiter().GetResult();

    /// <summary>Ends the thread when it has nothing left to do.</summary>
    public void Dispose() => _work.CompleteAdding();
}
