using Sora.Patches;

namespace Sora.Transformer;

/// <summary>
/// The noise level of every token of a packed sequence, as a short table of distinct times and the row that each token
/// reads. Modulation is computed once for each row, not once for each token: in generation there are one or two rows
/// (known frames at time 0, the rest at the step's time), in training one for each latent frame.
/// </summary>
public sealed class TokenTimes
{
    private TokenTimes(float[] times, int[] rows, int run) => (Times, Rows, Run) = (times, rows, run);

    /// <summary>The distinct times, 0 (data) to 1000 (noise).</summary>
    public float[] Times { get; }

    /// <summary>For every token its row in <see cref="Times"/>.</summary>
    public int[] Rows { get; }

    /// <summary>
    /// The number of consecutive tokens of each row when row r holds exactly the tokens r·run to (r+1)·run − 1, so that
    /// the table can be broadcast; 0 when the rows are scattered.
    /// </summary>
    public int Run { get; }

    /// <summary>One time for each clip.</summary>
    public static TokenTimes PerClip(PackedLayout layout, ReadOnlySpan<float> times)
    {
        if (times.Length != layout.Clips)
            throw new ArgumentException($"{times.Length} times were given for {layout.Clips} clips.", nameof(times));
        var all = new float[layout.Count];
        for (int clip = 0; clip < layout.Clips; clip++)
            all.AsSpan(layout.Offset(clip), layout.Grid(clip).Count).Fill(times[clip]);
        return PerToken(all);
    }

    /// <summary>One time for each token.</summary>
    public static TokenTimes PerToken(ReadOnlySpan<float> times)
    {
        // Runs of one length become rows as they are: a training batch has a row for each latent frame.
        int run = 1;
        while (run < times.Length && times[run] == times[0])
            run++;
        if (times.Length % run == 0 && RunsHold(times, run) && times.Length / run <= Math.Max(64, times.Length / 8))
        {
            var table = new float[times.Length / run];
            var rows = new int[times.Length];
            for (int i = 0; i < times.Length; i++)
            {
                rows[i] = i / run;
                table[i / run] = times[i];
            }
            return new(table, rows, run);
        }
        return Scattered(times);
    }

    private static bool RunsHold(ReadOnlySpan<float> times, int run)
    {
        for (int i = 0; i < times.Length; i++)
        {
            if (times[i] != times[i / run * run])
                return false;
        }
        return true;
    }

    private static TokenTimes Scattered(ReadOnlySpan<float> times)
    {
        var table = new List<float>();
        var known = new Dictionary<float, int>();
        var rows = new int[times.Length];
        for (int i = 0; i < times.Length; i++)
        {
            if (!known.TryGetValue(times[i], out int row))
            {
                row = table.Count;
                known.Add(times[i], row);
                table.Add(times[i]);
            }
            rows[i] = row;
        }
        return new([.. table], rows, 0);
    }
}
