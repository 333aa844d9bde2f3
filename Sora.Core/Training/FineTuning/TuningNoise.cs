using Sora.Latents;
using Sora.Sampling;

namespace Sora.Training.FineTuning;

/// <summary>Draws the noise levels of a clip's latent frames as the model meets them when it generates.</summary>
/// <param name="Levels">The levels before the shift.</param>
/// <param name="Shift">s in σ ← s·σ / (1 + (s − 1)·σ) (Esser et al. 2024, section 5.3.2).</param>
/// <param name="Range">The lowest and the highest level that the network is used at.</param>
internal readonly record struct TuningNoise(NoiseLevels Levels, double Shift, (double Low, double High) Range)
{
    private const int MostDraws = 10_000;

    /// <summary>The levels of clip <paramref name="number"/>, 0 for known frames.</summary>
    /// <param name="seed">The training's seed.</param>
    /// <param name="number">Which clip.</param>
    /// <param name="frames">Its latent frames.</param>
    /// <param name="tokens">Its patches.</param>
    /// <exception cref="SoraException">The noise levels hardly ever lie in the range.</exception>
    public float[] Draw(ulong seed, long number, int frames, long tokens)
    {
        for (int draw = 0; draw < MostDraws; draw++)
        {
            float[] levels = Levels.Draw(new GaussianNoise(seed, $"fine-tuning levels {number} {draw}"), frames, tokens);
            for (int i = 0; i < frames; i++)
                levels[i] = (float)NoiseSchedule.Shift(levels[i], Shift);
            // Of an expert only its own levels, drawn again until they are.
            if (Array.TrueForAll(levels, IsWithin))
                return levels;
        }
        throw new SoraException($"noise with mean {Levels.Mean} and deviation {Levels.Deviation}, shifted by {Shift}, hardly ever lies between {Range.Low} and {Range.High}, where this expert is used.");
    }

    private bool IsWithin(float level) => level == 0 || (level >= Range.Low && level <= Range.High);
}
