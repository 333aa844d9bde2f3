namespace Sora.Training.SpriteWorld;

/// <summary>
/// What a training draws more often than by chance. An evaluation's <c>subjects</c>, <c>scenes</c> and <c>motions</c> tell what a
/// model has most to learn of; a weight of 3 for "spins" draws a spinning clip three times as often, compared with the rest, as
/// without. Weights of a clip's subject, scene and motion multiply.
/// </summary>
internal sealed class Emphasis
{
    private const int Attempts = 10_000;
    private static readonly ValueRange<double> s_weights = new(0.01, 100);
    private readonly Dictionary<string, double> _weights;
    private readonly double _greatest;

    /// <summary>Weights by the names of subjects, scenes and motions; what is not named has 1.</summary>
    /// <exception cref="SoraException">A name is unknown to the world, or a weight is out of range.</exception>
    public Emphasis(IReadOnlyDictionary<string, double> weights, SpriteWorldConfig world)
    {
        string[][] kinds =
        [
            [.. world.Subjects.Select(subject => subject.Name)],
            [.. world.Scenes.Select(scene => scene.Name)],
            [.. world.Motions.Select(MotionNames.Of)],
        ];
        foreach ((string name, double weight) in weights)
        {
            if (!kinds.Any(names => names.Contains(name)))
            {
                string near = NearestName.Find(name, kinds.SelectMany(names => names)) is { } known ? $"; nearest: {known}" : "";
                throw new SoraException($"emphasis names '{name}', which is no subject, scene or motion of this world{near}; known: {string.Join(", ", kinds.SelectMany(names => names))}.");
            }
            _ = s_weights.Require($"emphasis of {name}", weight);
        }
        _weights = new(weights);
        _greatest = kinds.Aggregate(1.0, (product, names) => product * names.Max(WeightOf));
    }

    /// <summary>Draws a clip for training: never of a combination in <see cref="HeldOutPairs"/>.</summary>
    /// <param name="world">The world of the constructor's config.</param>
    /// <param name="seed">Names the clip.</param>
    public ClipDescription SampleTraining(World world, ulong seed)
    {
        var random = new ClipRandom(seed);
        // Rejection keeps the proportions exact, whatever pairs are held out.
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            ClipDescription clip = world.SampleTraining(random.NextUInt64());
            if (random.NextSingle() * _greatest < WeightOf(clip.Subject.Name) * WeightOf(clip.Scene.Name) * WeightOf(MotionNames.Of(clip.Motion)))
                return clip;
        }

        throw new SoraException($"emphasis lets no clip through in {Attempts} draws: its weights are too far apart.");
    }

    private double WeightOf(string name) => _weights.GetValueOrDefault(name, 1);
}
