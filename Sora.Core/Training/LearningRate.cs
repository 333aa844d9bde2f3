namespace Sora.Training;

/// <summary>Linear warm-up, then a cosine down to a share of the peak, as a function of the step alone.</summary>
public static class LearningRate
{
    /// <summary>The rate at a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">All steps of the training.</param>
    /// <param name="peak">The highest rate.</param>
    /// <param name="warmup">Steps until the peak.</param>
    /// <param name="final">The last rate as a share of the peak.</param>
    public static double At(long step, long steps, double peak, long warmup, double final = 0.02)
    {
        if (step < warmup)
            return peak * (step + 1) / warmup;
        double progress = Math.Min(1, (double)(step - warmup) / Math.Max(1, steps - warmup));
        return peak * (final + ((1 - final) * 0.5 * (1 + Math.Cos(Math.PI * progress))));
    }
}
