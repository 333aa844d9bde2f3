using System.Globalization;

namespace Sora.Training;

/// <summary>
/// The error of the predicted velocity on clips that are not trained on, at fixed noise levels with fixed noise: numbers that
/// are the same for the same weights, so that one step compares with another.
/// </summary>
internal static class FlowValidation
{
    // Where a sampler takes details from.
    private const int DetailLevels = 3;

    private static readonly float[] s_levels = [0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f];

    /// <summary>
    /// The mean squared error over all tokens at each level, the mean of these, and where it is known which tokens show a
    /// subject, the mean over them, and with weights the weighted mean; nothing where no clips are kept apart.
    /// </summary>
    /// <param name="batches">The clips.</param>
    /// <param name="prepare">What the training makes of a batch.</param>
    /// <param name="velocity">Predicts noise − data [N, P] for the tokens of a batch, at its levels, from their noisy patches [N, P].</param>
    /// <param name="weights">The weights [1, P] of a patch's numbers in <c>pixel_loss</c>; null: there is none.</param>
    /// <param name="map">How many of a patch's numbers, the last ones, are a map's and are not measured.</param>
    /// <param name="details">How many of those before the map's are regressed details: of these the error of the data is measured, <c>detail_loss</c> at the lowest three levels, and not that of the velocity.</param>
    public static IReadOnlyList<(string Name, double Value)> Run(IFlowBatches batches, Func<FlowBatch, FlowBatch> prepare, Func<FlowBatch, Tensor, Tensor> velocity, Tensor? weights = null, long map = 0, long details = 0)
    {
        if (batches.ValidationBatches == 0)
            return [];
        using IDisposable noGradients = no_grad();
        var errors = new double[s_levels.Length];
        double values = 0, subjectError = 0, subjectValues = 0, pixelError = 0, detailError = 0, detailValues = 0;
        for (int number = 0; number < batches.ValidationBatches; number++)
        {
            using DisposeScope scope = NewDisposeScope();
            FlowBatch batch = prepare(batches.DrawValidation(number));
            Tensor target = batch.Noise - batch.Data;                                            // N P
            long numbers = target.size(1) - map - details;
            values += target.size(0) * numbers;
            subjectValues += batch.Subject is null ? 0 : batch.Subject.sum().item<float>() * numbers;
            for (int i = 0; i < s_levels.Length; i++)
            {
                using DisposeScope level = NewDisposeScope();
                var levels = new float[batch.Levels.Length];
                Array.Fill(levels, s_levels[i]);
                Tensor predicted = velocity(batch with { Levels = levels }, batch.Data + (target * s_levels[i]));
                Tensor all = (predicted - target).square(), squares = all.narrow(1, 0, numbers);
                if (details > 0 && i < DetailLevels)
                {
                    detailError += all.narrow(1, numbers, details).sum().cpu().item<float>() * s_levels[i] * s_levels[i];
                    detailValues += target.size(0) * details;
                }
                errors[i] += squares.sum().cpu().item<float>();
                pixelError += weights is null ? 0 : (squares * weights.narrow(1, 0, numbers)).sum().cpu().item<float>();
                subjectError += batch.Subject is null ? 0 : (squares * batch.Subject).sum().cpu().item<float>();
            }
        }
        double[] means = [.. errors.Select(error => error / values)];
        IReadOnlyList<(string, double)> measured = [.. s_levels.Select((sigma, i) => (string.Create(CultureInfo.InvariantCulture, $"loss_sigma_{sigma:0.0}"), means[i])), ("loss", means.Average())];
        if (details > 0)
            measured = [.. measured, ("detail_loss", detailError / detailValues)];
        if (weights is not null)
            measured = [.. measured, ("pixel_loss", pixelError / (values * s_levels.Length))];
        return subjectValues > 0 ? [.. measured, ("subject_loss", subjectError / (subjectValues * s_levels.Length))] : measured;
    }
}
