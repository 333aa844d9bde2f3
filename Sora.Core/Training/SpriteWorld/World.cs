namespace Sora.Training.SpriteWorld;

/// <summary>
/// A world of moving sprites: samples clips, draws them and says what they show. A seed names the same clip for ever;
/// nothing is stored. Safe for several threads.
/// </summary>
/// <param name="config">The part of the catalogue to sample from.</param>
/// <param name="atlas">The sprites of at least the config's subjects.</param>
public sealed class World(SpriteWorldConfig config, SpriteAtlas atlas)
{
    /// <summary>The part of the catalogue that clips are sampled from.</summary>
    public SpriteWorldConfig Config { get; } = config;

    /// <summary>The sprites.</summary>
    public SpriteAtlas Atlas { get; } = atlas;

    /// <summary>A clip of any combination.</summary>
    /// <param name="seed">Names the clip.</param>
    /// <param name="filter">Properties to keep; null: none.</param>
    public ClipDescription Sample(ulong seed, ClipFilter? filter = null) =>
        ClipSampler.Sample(Config, new ClipRandom(seed), filter);

    /// <summary>A clip for training: never of a combination in <see cref="HeldOutPairs"/>.</summary>
    /// <param name="seed">Names the clip.</param>
    public ClipDescription SampleTraining(ulong seed) => SampleWhere(seed, heldOut: false);

    /// <summary>
    /// A clip for evaluation: its subject with its motion, or its subject in its scene, is in <see
    /// cref="HeldOutPairs"/>.
    /// </summary>
    /// <param name="seed">Names the clip.</param>
    public ClipDescription SampleHeldOut(ulong seed) => SampleWhere(seed, heldOut: true);

    /// <summary>Draws a clip.</summary>
    /// <param name="clip">What to draw.</param>
    /// <param name="width">Width in pixels, at least 8; meant for 48 to 128.</param>
    /// <param name="height">Height in pixels, at least 8; meant for 48 to 128.</param>
    /// <param name="frameCount">Frames T; frame t shows the time t / <paramref name="fps"/>.</param>
    /// <param name="fps">Frames a second.</param>
    /// <param name="rgb">Receives [T, H, W, 3].</param>
    /// <exception cref="ArgumentException">The size is not positive, or <paramref name="rgb"/> is not of that
    /// size.</exception>
    /// <exception cref="SoraException">The atlas lacks the clip's subject.</exception>
    public void Render(ClipDescription clip, int width, int height, int frameCount, double fps, Span<byte> rgb)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 8);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fps);
        if (rgb.Length != frameCount * height * width * 3)
        {
            throw new ArgumentException(
                $"{rgb.Length} bytes are not [{frameCount}, {height}, {width}, 3].", nameof(rgb));
        }

        ClipRenderer.Render(clip, Atlas, width, height, frameCount, fps, rgb);
    }

    /// <summary>Prompts of held-out combinations with the clips that they describe, no two alike.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Chooses them.</param>
    /// <exception cref="SoraException">There are not so many.</exception>
    public IReadOnlyList<(string Prompt, ClipDescription Clip)> EvaluationPrompts(int count, ulong seed)
    {
        var prompts = new List<(string, ClipDescription)>();
        var seen = new HashSet<string>();
        var random = new ClipRandom(seed);
        for (int attempt = 0; prompts.Count < count; attempt++)
        {
            if (attempt > 200 * (count + 10))
            {
                throw new SoraException($"There are only about {prompts.Count} different prompts of combinations that training never sees, not {count}.");
            }

            ClipDescription clip = SampleHeldOut(random.NextUInt64());
            string prompt = Captions.FullSentence(clip);
            if (seen.Add(prompt))
                prompts.Add((prompt, clip));
        }

        return prompts;
    }

    /// <summary>
    /// Draws until the combination is on the wanted side; about one in five of the first edition is held out.
    /// </summary>
    private ClipDescription SampleWhere(ulong seed, bool heldOut)
    {
        var random = new ClipRandom(seed);
        for (int attempt = 0; attempt < 10_000; attempt++)
        {
            ClipDescription clip = ClipSampler.Sample(Config, random, filter: null);
            if (HeldOutPairs.Contains(clip) == heldOut)
                return clip;
        }

        throw new InvalidOperationException(
            heldOut ? "The config has no held-out combination." : "All combinations of the config are held out.");
    }
}
