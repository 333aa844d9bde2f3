using Sora.Latents;

namespace Sora.Training.Data;

/// <summary>
/// Packs clips of different sizes to a number of tokens a step (patch n' pack, Dehghani et al. 2023). The clips come in rounds,
/// each of which has every clip equally often in an order of its own; within a round a clip goes to the fullest step that it
/// fits in (best fit). The clips of a step are a pure function of sizes, budget, seed and the step's number.
/// </summary>
public sealed class PackingPlan
{
    // A round has so many steps at least, of which the last few are not full; a small set comes several times in it.
    private const int LeastSteps = 40;

    private readonly int[] _sizes;
    private readonly int _budget;
    private readonly ulong _seed;
    private readonly int _repetitions;
    private readonly Lock _lock = new();
    private readonly List<long> _ends = []; // The step after the last of each round.
    private (int Round, List<List<int>> Steps) _current;

    /// <summary>Plans.</summary>
    /// <param name="sizes">The tokens of each clip, at least 1.</param>
    /// <param name="budget">The most tokens of a step, at least the largest clip's.</param>
    /// <param name="seed">Chooses the order.</param>
    /// <exception cref="ArgumentException">There are no clips, or a size is out of range.</exception>
    public PackingPlan(IReadOnlyList<int> sizes, int budget, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        if (sizes.Count == 0 || sizes.Min() < 1 || sizes.Max() > budget)
            throw new ArgumentException(sizes.Count == 0 ? "There are no clips." : $"Clips of {sizes.Min()} to {sizes.Max()} tokens do not fit in steps of 1 to {budget}.", nameof(sizes));
        (_sizes, _budget, _seed) = ([.. sizes], budget, seed);
        long total = sizes.Sum(size => (long)size);
        _repetitions = (int)Math.Max(1, ((long)LeastSteps * budget / total) + 1);
        _current = (0, Pack(0));
        _ends.Add(_current.Steps.Count);
        Unused = 1 - (total * _repetitions / ((double)_current.Steps.Count * budget));
    }

    /// <summary>The share of the budget that the steps of the first round leave unused.</summary>
    public double Unused { get; }

    /// <summary>The clips of a step. Far steps cost the packing of the rounds before them, once.</summary>
    /// <param name="step">The step's number, from 0.</param>
    public IReadOnlyList<int> Clips(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        lock (_lock)
        {
            while (_ends[^1] <= step)
            {
                _current = (_ends.Count, Pack(_ends.Count));
                _ends.Add(_ends[^1] + _current.Steps.Count);
            }
            int found = _ends.BinarySearch(step + 1);
            int round = found >= 0 ? found : ~found;
            if (round != _current.Round)
                _current = (round, Pack(round));
            return _current.Steps[(int)(step - (round == 0 ? 0 : _ends[round - 1]))];
        }
    }

    private List<List<int>> Pack(int round)
    {
        var random = new GaussianNoise(_seed, $"packing round {round}");
        ulong drawn = 0;
        List<List<int>> steps = [];
        var open = new SortedSet<(int Free, int Step)>();
        int[] order = [.. Enumerable.Range(0, _sizes.Length)];
        for (int repetition = 0; repetition < _repetitions; repetition++)
        {
            Shuffle(order);
            foreach (int clip in order)
                Place(clip);
        }
        // The first steps are the fullest; in the order of a shuffle the loss does not know where in a round it is.
        List<int>[] shuffled = [.. steps];
        Shuffle(shuffled);
        return [.. shuffled];

        void Place(int clip)
        {
            (int Free, int Step) fullest = open.GetViewBetween((_sizes[clip], 0), (_budget, int.MaxValue)).Min;
            if (fullest == default)
            {
                fullest = (_budget, steps.Count);
                steps.Add([]);
            }
            steps[fullest.Step].Add(clip);
            open.Remove(fullest);
            int free = fullest.Free - _sizes[clip];
            if (free > 0)
                open.Add((free, fullest.Step));
        }

        void Shuffle<T>(T[] items)
        {
            for (int i = items.Length - 1; i > 0; i--)
            {
                int other = (int)(random.Uniform(drawn++) * (i + 1));
                (items[i], items[other]) = (items[other], items[i]);
            }
        }
    }
}
