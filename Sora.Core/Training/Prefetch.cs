namespace Sora.Training;

/// <summary>Prepares the next items on another thread while the current one is used.</summary>
public static class Prefetch
{
    /// <summary>Items <paramref name="first"/>, first + 1, … up to <paramref name="end"/>, made one ahead.</summary>
    /// <param name="first">The first number.</param>
    /// <param name="end">The number after the last.</param>
    /// <param name="make">Makes an item; runs on a thread of its own.</param>
    public static IEnumerable<T> Range<T>(long first, long end, Func<long, T> make)
    {
        if (first >= end)
            yield break;
        Task<T> next = Start(() => make(first));
        for (long number = first; number < end; number++)
        {
            T item = next.GetAwaiter().GetResult();
            long following = number + 1;
            if (following < end)
                next = Start(() => make(following));
            yield return item;
        }
    }

    // Not from the pool: a busy processor gets no further pool threads, and those there may all be occupied.
    internal static Task<T> Start<T>(Func<T> make) =>
        Task.Factory.StartNew(make, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
